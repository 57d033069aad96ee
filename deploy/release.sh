#!/usr/bin/env bash
# release.sh FOLDER: archives, Debian packages, SBOMs and checksums of what is
# committed, into FOLDER. Two runs of one commit give the same bytes.
#
#   VERSION     what the programs call themselves; git describe without it
#   TARGETS     "linux/amd64 linux/arm64 darwin/arm64" without it
#   SIGN_KEY    private SSH key that signs SHA256SUMS; without it nothing is signed
#   MAINTAINER  of the packages, "Name <address>": who answers for them, and so
#               wanted where they are signed
#   NFPM        the program nfpm; without it there are no packages
set -euo pipefail
export LC_ALL=C TZ=UTC
umask 022

[ $# = 1 ] || { echo 'usage: release.sh FOLDER' >&2; exit 2; }
out=$1
cd "$(dirname "$0")/.."
[ -z "${SIGN_KEY:-}" ] || [ -r "$SIGN_KEY" ] || { echo "SIGN_KEY=$SIGN_KEY cannot be read: name the file of a private SSH key" >&2; exit 2; }
[ -z "${SIGN_KEY:-}" ] || [ -n "${MAINTAINER:-}" ] || { echo "MAINTAINER is not set: a signed release names who answers for it, MAINTAINER='Name <address>'" >&2; exit 2; }
git rev-parse --verify -q HEAD >/dev/null || { echo 'make release needs a git checkout: the files, their time and the version come from the commit' >&2; exit 1; }
VERSION=${VERSION:-$(git describe --tags --always --dirty)}
REVISION=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
TARGETS=${TARGETS:-linux/amd64 linux/arm64 darwin/arm64}
MAINTAINER=${MAINTAINER:-Token Persistence Toolkit <toolkit@tokenpersistence.invalid>}
export VERSION REVISION SOURCE_DATE_EPOCH MAINTAINER

DEB_VERSION=$(deploy/deb/version.sh "$VERSION" "$SOURCE_DATE_EPOCH")
export DEB_VERSION

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
out=$(cd "$out" && pwd)
find "$out" -maxdepth 1 \( -name 'token-persistence-*' -o -name 'SHA256SUMS*' \) -delete

# What comes from the commit is the same for every target.
git archive HEAD LICENSE README.md CHANGELOG.md docs alerts/alertmanager.yaml alerts/rules alerts/runbooks dashboards deploy |
	tar -x -C "$work" --exclude='*.go'

pkg=github.com/prometheus/common/version
ldflags="-s -w -buildid= -X $pkg.Version=$VERSION -X $pkg.Revision=${REVISION}"

# bill OS ARCH PROGRAM...: the modules that a program is linked with, and their licences.
bill() {
	for program in "${@:3}"; do
		go run ./deploy/sbom "$stage/$program" >"$stage/$program.cdx.json"
		go run ./deploy/sbom --format licenses "$stage/$program" >"$stage/$program.licenses.txt"
	done
}

# archive NAME: the folder NAME of $work as an archive without a trace of when, where and by whom.
archive() {
	tar -c -C "$work" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX,go-w \
		--mtime="@$SOURCE_DATE_EPOCH" "$1" | gzip -9n >"$out/$1.tar.gz"
}

# packages ARCH: the Debian packages of the folder $stage.
packages() {
	mkdir "$stage/docs-pages"
	cp "$stage"/docs/*.md "$stage"/docs/*.yml "$stage/docs-pages/"
	find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	for program in exporter analyze; do
		(cd "$stage" && ARCH=$1 "$NFPM" package --packager deb --config "deploy/deb/$program.yaml" \
			--target "$out/token-persistence-${program}_${DEB_VERSION}_$1.deb" >/dev/null)
	done
}

for target in $TARGETS; do
	os=${target%/*} arch=${target#*/}
	name=token-persistence-toolkit_${VERSION#v}_${os}_$arch
	stage=$work/$name
	echo "$name"
	mkdir "$stage"
	for part in LICENSE README.md CHANGELOG.md docs alerts dashboards deploy; do cp -R "$work/$part" "$stage/"; done
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=false -ldflags "$ldflags" -o "$stage/" ./exporter ./analyze
	bill "$os" "$arch" exporter analyze
	archive "$name"
	[ "$os" != linux ] || [ -z "${NFPM:-}" ] || packages "$arch"
	rm -rf "$stage"
done
[ -n "${NFPM:-}" ] || echo 'NOT MADE: Debian packages (nfpm cannot be had)' >&2

cd "$out"
sha256sum token-persistence-* >SHA256SUMS
[ -z "${SIGN_KEY:-}" ] || ssh-keygen -q -Y sign -f "$SIGN_KEY" -n file SHA256SUMS
ls -l "$out"
