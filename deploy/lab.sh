# lab.sh, sourced: a Debian, base images and namespaces of their own below
# .cache/packages, for test-packages.sh and test-install.sh. Nothing is
# installed on this machine, and what is started ends with the test.
#
#   $root  the repository     $work  where everything is
#   inside COMMAND...         runs it with mounts, processes and a loopback of its own
root=$PWD
work=$root/.cache/packages

not_run() {
	echo "NOT RUN: ${0##*/} ($1)" | sed 's/\.sh / /'
	exit 0
}

[ "$(id -u)" = 0 ] || not_run 'it makes file systems: run it as root'
for program in mmdebstrap buildah ssh-keygen unshare ip; do
	command -v $program >/dev/null || not_run "there is no $program: apt-get install mmdebstrap buildah openssh-client util-linux iproute2"
done
work=$(mkdir -p "$work" && cd "$work" && pwd -P)
exec 8>"$work/lock"
flock 8 # one test at a time: they share a storage

# What a server of Debian's has beside the minimum, and what the README asks for.
packages=adduser,ca-certificates,curl,git,init-system-helpers,make,procps,sudo,systemd
if [ ! -f "$work/debian.tar" ]; then
	echo '== a minimal Debian'
	mmdebstrap --quiet --variant=minbase --include=$packages bookworm "$work/new.tar" \
		'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main' ||
		not_run 'Debian cannot be fetched from here'
	mv "$work/new.tar" "$work/debian.tar" # whole or not at all; mmdebstrap goes by the name's end
fi

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
if [ ! -e "$work/bases" ]; then
	ARCHITECTURES="$arch $other" deploy/base-images.sh "$work/buildah" "$work/debian.tar"
	: >"$work/bases"
fi
# What the run before has left; the base images stay.
"$work/buildah" rm --all >/dev/null
"$work/buildah" images --format '{{.Name}}:{{.Tag}}' | sed -n '/^localhost\/token-persistence/p' | xargs -r "$work/buildah" rmi >/dev/null
"$work/buildah" rmi --prune >/dev/null

# $work/outside is the network of the machine, for what has to fetch something.
inside() {
	touch "$work/outside"
	# shellcheck disable=SC2016 # for the shells in the namespaces
	unshare --mount --pid --fork --kill-child sh -c '
		mount --bind /proc/self/ns/net "$0/outside" && mount -t proc proc /proc && unshare --net sh -c "ip link set lo up && \"\$@\"" sh "$@"' "$work" "$@"
}
