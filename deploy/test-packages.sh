#!/usr/bin/env bash
# test-packages.sh: makes the release twice and the images once from what is
# committed, then installs and runs them in a Debian of their own below .cache.
# Nothing is installed on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/lab.sh

# Two copies in folders whose names differ, as two people would have them.
rm -rf "$work/one" "$work/somewhere-else" "$work/key" "$work/key.pub"
git clone -q --shared "$root" "$work/one"
git clone -q "$work/one" "$work/somewhere-else" # the same commit, should one be made meanwhile
ssh-keygen -q -t ed25519 -N '' -C test -f "$work/key"
for copy in one somewhere-else; do
	echo "== make release in $copy"
	make --no-print-directory -C "$work/$copy" release TOOLS="$root/.cache/tools" TARGETS="linux/$arch linux/$other" \
		SIGN_KEY="$work/key" MAINTAINER='Test <test@tokenpersistence.invalid>'
done
cmp "$work/one/dist/SHA256SUMS" "$work/somewhere-else/dist/SHA256SUMS"

echo '== images'
# images ARCH FLAGS...: both images of an architecture, with the modules and the compiler's cache of this machine.
images() {
	ENGINE="$work/buildah" PLATFORM=linux/$1 "$work/one/deploy/image.sh" --quiet --pull-never --layers=false \
		--volume "$(go env GOMODCACHE):/go/pkg/mod" --volume "$(go env GOCACHE):/root/.cache/go-build" \
		--build-arg GO_IMAGE=localhost/golang --build-arg STATIC_IMAGE="localhost/static-$1" --build-arg DEBIAN_IMAGE=localhost/debian \
		--build-arg GOPROXY="$(go env GOPROXY)" "${@:2}"
}
images "$other" -t token-persistence-other # a name of its own: the next take the others
images "$arch"

echo '== Kubernetes'
if command -v kubectl >/dev/null; then
	{ kubectl kustomize deploy/kubernetes/prometheus-operator && echo --- && cat deploy/kubernetes/secret.example.yaml; } >"$work/manifests.yaml"
	(cd deploy/kubernetes/strict && go vet . && go test . && go run . <"$work/manifests.yaml")
else
	echo 'NOT RUN: the manifests against the types of Kubernetes (there is no kubectl to put them together)'
fi

echo '== install and run'
testbed/install.sh qemu || [ $? = 3 ] || exit 1
TOKEN_PERSISTENCE_PACKAGES=$work TOKEN_PERSISTENCE_QEMU=$root/.cache/qemu inside go test -count=1 -v ./deploy
