#!/usr/bin/env bash
# base-images.sh BUILDAH DEBIAN_TAR: the images that the Dockerfile starts from,
# made without a registry: localhost/debian from an archive of a minimal Debian,
# localhost/golang from that and the Go of this machine, and localhost/static
# with what distroless/static has and a program without cgo may want:
# certificates and the account 65532. BUILDAH is the program with its storage.
set -euo pipefail
buildah=$1 tar=$2
work=$(mktemp -d)
container=
trap '[ -z "$container" ] || "$buildah" rm "$container" >/dev/null; rm -rf "$work"' EXIT

commit() {
	"$buildah" commit -q "$container" "localhost/$1" >/dev/null
	"$buildah" rm "$container" >/dev/null
	container=
}

container=$("$buildah" from scratch)
"$buildah" add -q "$container" "$tar" / >/dev/null
# The certificates of this machine: a mirror's may be signed by a private authority.
"$buildah" copy -q "$container" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt >/dev/null
"$buildah" config --cmd bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
commit debian

container=$("$buildah" from --pull-never localhost/debian)
"$buildah" copy -q "$container" "$(go env GOROOT)" /usr/local/go >/dev/null
"$buildah" config --env PATH=/go/bin:/usr/local/go/bin:/usr/sbin:/usr/bin:/sbin:/bin --env GOPATH=/go --env GOTOOLCHAIN=local "$container"
commit golang

mkdir -p "$work/etc/ssl/certs" "$work/home/nonroot" "$work/tmp"
chmod 1777 "$work/tmp"
cp /etc/ssl/certs/ca-certificates.crt "$work/etc/ssl/certs/"
printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$work/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$work/etc/group"
for arch in ${ARCHITECTURES:-amd64}; do
	container=$("$buildah" from scratch)
	"$buildah" copy -q "$container" "$work" / >/dev/null
	"$buildah" config --arch "$arch" --os linux --user 65532:65532 "$container"
	commit "static-$arch"
done
