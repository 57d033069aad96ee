#!/usr/bin/env bash
# image.sh FLAGS...: builds the images token-persistence-exporter and
# token-persistence-analyze from what is checked out; FLAGS go to the engine's
# build.
#
#   VERSION   tag and version; git describe without it
#   ENGINE    docker, podman or buildah; the first of them on PATH without it
#   PLATFORM  for example linux/arm64; the machine's own without it
set -euo pipefail
cd "$(dirname "$0")/.."
VERSION=${VERSION:-$(git describe --tags --always --dirty)}
for engine in docker podman buildah; do
	[ -n "${ENGINE:-}" ] || ! command -v $engine >/dev/null || ENGINE=$engine
done
[ -n "${ENGINE:-}" ] || { echo 'No docker, podman or buildah on PATH: install one, or give ENGINE=program' >&2; exit 1; }
# The files' times are the commit's, so that two builds give the same layers;
# docker takes it from the environment.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
case ${ENGINE##*/} in
podman | buildah)
	# Old ones do not know what BuildKit tells every Dockerfile about platforms.
	native=linux/$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
	PLATFORM=${PLATFORM:-$native}
	set -- --timestamp "$SOURCE_DATE_EPOCH" --build-arg BUILDPLATFORM="$native" "$@"
	;;
esac
[ -z "${PLATFORM:-}" ] || set -- --platform "$PLATFORM" "$@"

for program in exporter analyze; do
	"$ENGINE" build --target $program -t "token-persistence-$program:latest" -t "token-persistence-$program:${VERSION#v}" \
		--build-arg VERSION="$VERSION" --build-arg REVISION="$(git rev-parse HEAD)" "$@" .
done
