#!/usr/bin/env bash
# test-install.sh [WAY]: someone who has only the README, with a clock. The commands
# of "Use it on your own system" run as they stand there, in fresh clones of
# what is committed: native and deb in a Debian 12 with Go, by accounts that are not
# root and have empty caches; container here, as root. WAY is one of Native,
# Container, Deb.
#
#   CACHES=machine  lends them the modules and the compiler's cache of this
#                   machine: faster, and the clock then says little
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/lab.sh

echo '== a machine for someone new'
machine=$work/machine
rm -rf --one-file-system "$machine" "$work/clone" "$work/running"
mkdir -p "$machine" "$work/running"
tar -xf "$work/debian.tar" -C "$machine"
cp -R "$(go env GOROOT)" "$machine/usr/local/go"
cp /etc/ssl/certs/ca-certificates.crt "$machine/etc/ssl/certs/"
cp -L /etc/resolv.conf "$machine/etc/"
echo '127.0.0.1 localhost' >"$machine/etc/hosts"
cp deploy/testdata/systemctl "$machine/usr/local/bin/"
echo 'ALL ALL=(ALL) NOPASSWD: ALL' >"$machine/etc/sudoers.d/everybody"
hostname >"$machine/etc/hostname"
git clone -q --no-hardlinks "$root" "$work/clone"

TOKEN_PERSISTENCE_NEWCOMER=$work inside go test -count=1 -v -timeout 1h -run "README${1:+/^$1\$}" ./deploy
