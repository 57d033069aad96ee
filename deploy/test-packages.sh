#!/usr/bin/env bash
# test-packages.sh: makes the release twice and the images once from what is
# committed, then installs and runs them in a Debian of their own below .cache.
# Nothing is installed on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$root/.cache/packages

not_run() {
	echo "NOT RUN: test-packages ($1)"
	exit 0
}
[ "$(id -u)" = 0 ] || not_run 'it makes file systems: run it as root'
for program in mmdebstrap buildah ssh-keygen unshare; do
	command -v $program >/dev/null || not_run "there is no $program: apt-get install mmdebstrap buildah openssh-client util-linux"
done
mkdir -p "$work"
if [ ! -e "$work/debian.tar" ]; then
	echo '== a minimal Debian'
	mmdebstrap --quiet --variant=minbase --include=adduser,ca-certificates,init-system-helpers bookworm "$work/debian.tar.new" \
		'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main' ||
		not_run 'Debian cannot be fetched from here'
	mv "$work/debian.tar.new" "$work/debian.tar"
fi

# Two copies in folders whose names differ, as two people would have them.
rm -rf "$work/one" "$work/somewhere-else" "$work/key" "$work/key.pub"
ssh-keygen -q -t ed25519 -N '' -C test -f "$work/key"
for copy in one somewhere-else; do
	echo "== make release in $copy"
	git clone -q --shared "$root" "$work/$copy"
	make --no-print-directory -C "$work/$copy" release TOOLS="$root/.cache/tools" TARGETS="linux/$(go env GOARCH)" SIGN_KEY="$work/key"
done
cmp "$work/one/dist/SHA256SUMS" "$work/somewhere-else/dist/SHA256SUMS"

echo '== images'
cat >"$work/buildah" <<-EOT
	#!/bin/sh
	# buildah with a storage of its own, and without what wants a kernel's privileges
	export BUILDAH_ISOLATION=chroot TMPDIR="$work" XDG_RUNTIME_DIR="$work/run"
	exec buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "\$@"
EOT
chmod +x "$work/buildah"
mkdir -p "$work/run"
arch=$(go env GOARCH) other=arm64
[ "$arch" = amd64 ] || other=amd64
[ -e "$work/storage" ] || ARCHITECTURES="$arch $other" deploy/base-images.sh "$work/buildah" "$work/debian.tar"
# images ARCH FLAGS...: both images of an architecture, with the modules and the compiler's cache of this machine.
images() {
	ENGINE="$work/buildah" PLATFORM=linux/$1 "$work/one/deploy/image.sh" --quiet --pull-never --layers=false \
		--volume "$(go env GOMODCACHE):/go/pkg/mod" --volume "$(go env GOCACHE):/root/.cache/go-build" \
		--build-arg GO_IMAGE=localhost/golang --build-arg STATIC_IMAGE="localhost/static-$1" --build-arg DEBIAN_IMAGE=localhost/debian \
		--build-arg GOPROXY="$(go env GOPROXY)" "${@:2}"
}
# Those of the run before; the base images stay.
"$work/buildah" images --format '{{.Name}}:{{.Tag}}' | sed -n '/^localhost\/token-persistence/p' | xargs -r "$work/buildah" rmi >/dev/null
"$work/buildah" rmi --prune >/dev/null
images "$other" -t token-persistence-other # a name of its own: the next take the others
images "$arch"

echo '== Kubernetes'
if command -v kubectl >/dev/null; then
	{ kubectl kustomize deploy/kubernetes/prometheus-operator && echo --- && cat deploy/kubernetes/secret.example.yaml; } >"$work/manifests.yaml"
	(cd deploy/kubernetes/strict && go run . <"$work/manifests.yaml")
else
	echo 'NOT RUN: the manifests against the types of Kubernetes (there is no kubectl to put them together)'
fi

echo '== install and run'
TOKEN_PERSISTENCE_PACKAGES=$work go test -count=1 -v ./deploy
