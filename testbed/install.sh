#!/bin/sh
# install.sh database|prometheus: brings what `make demo` and `make test` run.
# database    a MariaDB or MySQL server program on PATH; through apt where there is none
# prometheus  Debian's prometheus and promtool, unpacked below .cache and not
#             installed, because the package would start a service
set -eu

# as_root COMMAND...: run it as root, through sudo where we are not.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# has_candidate PACKAGE: apt knows a version; its lists may be empty on a new machine.
has_candidate() {
	apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [0-9]'
}

need_apt() {
	command -v apt-get >/dev/null && return
	echo "$1" >&2
	exit 1
}

update_lists() {
	has_candidate "$1" || as_root apt-get -qq update
}

database() {
	PATH=$PATH:/usr/sbin:/usr/local/sbin
	[ -n "${TOKEN_PERSISTENCE_MYSQLD:-}" ] && return
	command -v mariadbd >/dev/null || command -v mysqld >/dev/null && return
	need_apt "No mariadbd or mysqld on PATH. Install MariaDB 10.11 or later, or MySQL 8 or later (Debian: mariadb-server-core and mariadb-client-core; Fedora: mariadb-server; Homebrew: mariadb); nothing needs to be started."
	echo "Installing mariadb-server-core and mariadb-client-core (programs only, no service is started)"
	update_lists mariadb-server-core
	log=$(mktemp)
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
		mariadb-server-core mariadb-client-core >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
	rm "$log"
}

prometheus() {
	dir=$(cd "$(dirname "$0")/.." && pwd)/.cache/prometheus
	[ -x "$dir/promtool" ] && return
	need_apt "No apt-get: put prometheus and promtool 2.42 or later into $dir to run the tests that need them."
	update_lists prometheus
	mkdir -p "$dir/deb"
	(cd "$dir/deb" && apt-get -qq -o APT::Sandbox::User=root download prometheus && dpkg -x prometheus_*.deb .)
	mv "$dir/deb/usr/bin/prometheus" "$dir/deb/usr/bin/promtool" "$dir/"
	rm -r "$dir/deb"
}

case ${1:-} in
database) database ;;
prometheus) prometheus ;;
*)
	echo "usage: install.sh database|prometheus" >&2
	exit 2
	;;
esac
