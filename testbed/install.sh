#!/bin/sh
# install.sh database|prometheus|mysql|mariadb-sid|moto|mysqld-exporter|gawk|jmeter|prometheus-sid|alertmanager|qemu: brings what `make demo` and the tests run.
# database    a MariaDB or MySQL server program on PATH; through apt where there is none
# prometheus  Debian's prometheus and promtool, unpacked below .cache and not
#             installed, because the package would start a service
# mysql       the MySQL server of Debian sid, unpacked below .cache with all that it
#             needs down to the C library; exits 3 where it cannot be fetched
# mariadb-sid  the MariaDB server of Debian sid, likewise
# moto        an AWS emulator that others wrote, from Debian sid with the Python it
#             needs, likewise
# mysqld-exporter  Debian's prometheus-mysqld-exporter, unpacked likewise, and the
#             one of Debian sid beside it where it can be had
# gawk        the awk that `make bench-jtl` measures, through apt
# jmeter      Debian's JMeter 2.13, unpacked likewise, run by the JDK on PATH; exits 3 where
#             it cannot be had
# prometheus-sid  the prometheus and promtool of Debian sid, unpacked like mysql
# alertmanager  Debian's prometheus-alertmanager and amtool, unpacked like prometheus;
#             exits 3 where they cannot be fetched
# qemu        Debian's QEMU for programs of other architectures, unpacked likewise; exits 3
#             where it cannot be fetched
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

# from_sid WORK PACKAGE...: unpacks the packages and all they depend on into
# WORK/root. They are downloaded by an apt that knows of no installed package and
# has directories of its own: nothing on this machine changes or is upgraded, and
# its own libraries do not matter.
from_sid() {
	work=$1
	shift
	command -v apt-get >/dev/null || { echo "no apt-get to fetch $1 with" >&2; exit 3; }
	rm -rf "$work"
	mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/apt/state" "$work/apt/parts" "$work/root"
	: >"$work/apt/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main" >"$work/apt/sources.list"
	if ! { sid_apt update && sid_apt -y --download-only install "$@"; } >"$work/apt/log" 2>&1; then
		tail -3 "$work/apt/log" >&2
		rm -rf "$work"
		exit 3
	fi
	for deb in "$work"/apt/archives/*.deb; do
		dpkg -x "$deb" "$work/root"
	done
}

sid_apt() {
	apt-get -qq -o APT::Sandbox::User=root -o APT::Install-Recommends=0 \
		-o Dir::Etc::sourcelist="$work/apt/sources.list" -o Dir::Etc::sourceparts="$work/apt/parts" \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts="$work/apt/parts" \
		-o Dir::State="$work/apt/state" -o Dir::State::status="$work/apt/status" -o Dir::State::lists="$work/apt/lists" \
		-o Dir::Cache="$work/apt" -o Dir::Cache::archives="$work/apt/archives" -o Acquire::Languages=none "$@"
}

# Sid's programs need sid's C library: they run through its own loader.
moto() {
	cache=$(cd "$(dirname "$0")/.." && pwd)/.cache
	[ -x "$cache/moto/run" ] && return
	echo "Fetching python3-moto from Debian sid into .cache (about 250 MB unpacked)"
	from_sid "$cache/moto.new" python3-moto python3-flask python3-flask-cors python3-yaml python3-pyparsing python3-joserfc
	cat >"$work/root/run" <<-'EOF'
		#!/bin/sh
		# run ARGS...: moto_server with the Python and the C library beside it.
		root=$(cd "$(dirname "$0")" && pwd)
		lib=$(dirname "$(find "$root/usr/lib" "$root/lib" -name 'ld-linux-*.so.*' 2>/dev/null | head -n 1)")
		python=$(find "$root/usr/bin" -name 'python3.[0-9]*' | head -n 1)
		PYTHONHOME=$root/usr PYTHONPATH=$root/usr/lib/python3/dist-packages PYTHONNOUSERSITE=1
		export PYTHONHOME PYTHONPATH PYTHONNOUSERSITE
		exec "$lib"/ld-linux-*.so.* --library-path "$lib:$root/usr/lib" "$python" "$root/usr/bin/moto_server" "$@"
	EOF
	chmod +x "$work/root/run"
	mv "$work/root" "$cache/moto"
	rm -rf "$work"
}

mysql() {
	cache=$(cd "$(dirname "$0")/.." && pwd)/.cache
	[ -x "$cache/mysql/mysqld" ] && return
	echo "Fetching mysql-server-core from Debian sid into .cache (about 350 MB unpacked)"
	from_sid "$cache/mysql.new" mysql-server-core
	cat >"$work/root/mysqld" <<-'EOF'
		#!/bin/sh
		# mysqld ARGS...: the MySQL server with the C library beside it.
		root=$(cd "$(dirname "$0")" && pwd)
		lib=$(dirname "$(find "$root/usr/lib" "$root/lib" -name 'ld-linux-*.so.*' 2>/dev/null | head -n 1)")
		[ "${1:-}" != --no-defaults ] || shift # it has to be the first argument
		exec "$lib"/ld-linux-*.so.* --library-path "$lib:$root/usr/lib" "$root/usr/sbin/mysqld" --no-defaults \
			--basedir="$root/usr" --lc-messages-dir="$root/usr/share/mysql" \
			--character-sets-dir="$root/usr/share/mysql/charsets" --plugin-dir="$root/usr/lib/mysql/plugin" "$@"
	EOF
	chmod +x "$work/root/mysqld"
	mv "$work/root" "$cache/mysql"
	rm -rf "$work"
}

# MariaDB's installer is a script that runs three of its programs, so that each
# has to find its way to the C library.
mariadb_sid() {
	cache=$(cd "$(dirname "$0")/.." && pwd)/.cache
	[ -x "$cache/mariadb-sid/mariadbd" ] && return
	echo "Fetching mariadb-server-core from Debian sid into .cache (about 100 MB unpacked)"
	from_sid "$cache/mariadb-sid.new" mariadb-server-core mariadb-client-core
	for program in sbin/mariadbd bin/my_print_defaults bin/resolveip; do
		mv "$work/root/usr/$program" "$work/root/usr/$program.real"
		cat >"$work/root/usr/$program" <<-'EOF'
			#!/bin/sh
			# The program of this name with the C library beside it.
			root=$(cd "$(dirname "$0")/../.." && pwd)
			lib=$(dirname "$(find "$root/usr/lib" "$root/lib" -name 'ld-linux-*.so.*' 2>/dev/null | head -n 1)")
			exec "$lib"/ld-linux-*.so.* --library-path "$lib:$root/usr/lib" "$0.real" "$@"
		EOF
		chmod +x "$work/root/usr/$program"
	done
	for program in sbin/mariadbd bin/mariadb-install-db; do
		cat >"$work/root/$(basename "$program")" <<-EOF
			#!/bin/sh
			# The program of this name with the files beside it.
			root=\$(cd "\$(dirname "\$0")" && pwd)
			[ "\${1:-}" != --no-defaults ] || shift # it has to be the first argument
			exec "\$root/usr/$program" --no-defaults --basedir="\$root/usr" --plugin-dir="\$root/usr/lib/mysql/plugin" "\$@"
		EOF
		chmod +x "$work/root/$(basename "$program")"
	done
	mv "$work/root" "$cache/mariadb-sid"
	rm -rf "$work"
}

# unpack DIR APT-OPTION...: Debian's prometheus-mysqld-exporter into DIR.
unpack() {
	dir=$1
	shift
	mkdir -p "$dir/deb"
	(cd "$dir/deb" && apt-get -qq -o APT::Sandbox::User=root "$@" download prometheus-mysqld-exporter && dpkg -x prometheus-mysqld-exporter_*.deb .)
	mv "$dir/deb/usr/bin/prometheus-mysqld-exporter" "$dir/"
	rm -r "$dir/deb"
}

mysqld_exporter() {
	cache=$(cd "$(dirname "$0")/.." && pwd)/.cache
	rival=$cache/mysqld-exporter
	newer=$cache/mysqld-exporter-sid
	[ -x "$rival/prometheus-mysqld-exporter" ] && [ -x "$newer/prometheus-mysqld-exporter" ] && return
	need_apt "No apt-get: put a prometheus-mysqld-exporter into $rival to compare with it."
	update_lists prometheus-mysqld-exporter
	[ -x "$rival/prometheus-mysqld-exporter" ] || unpack "$rival"
	# Lists of their own, so that nothing else of sid is ever a candidate.
	mkdir -p "$newer/apt/lists/partial" "$newer/apt/parts"
	echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main' >"$newer/apt/sources.list"
	: >"$newer/apt/status"
	set -- -o Dir::Etc::sourcelist="$newer/apt/sources.list" -o Dir::Etc::sourceparts="$newer/apt/parts" \
		-o Dir::State="$newer/apt" -o Dir::State::lists="$newer/apt/lists" -o Dir::State::status="$newer/apt/status" -o Dir::Cache="$newer/apt"
	apt-get -qq -o APT::Sandbox::User=root "$@" update && unpack "$newer" "$@" ||
		echo "NOT RUN: Debian sid's mysqld_exporter cannot be fetched; the comparison is with the stable one only" >&2
	rm -rf "$newer/apt"
}

# The promtool and prometheus of sid, through sid's loader where they need its C
# library.
prometheus_sid() {
	cache=$(cd "$(dirname "$0")/.." && pwd)/.cache
	[ -x "$cache/prometheus-sid/promtool" ] && return
	echo "Fetching prometheus from Debian sid into .cache"
	from_sid "$cache/prometheus-sid.new" prometheus
	for program in prometheus promtool; do
		if "$work/root/usr/bin/$program" --version >/dev/null 2>&1; then
			ln -s "usr/bin/$program" "$work/root/$program"
			continue
		fi
		cat >"$work/root/$program" <<-'EOF'
			#!/bin/sh
			# The program of this name with the C library beside it.
			root=$(cd "$(dirname "$0")" && pwd)
			lib=$(dirname "$(find "$root/usr/lib" "$root/lib" -name 'ld-linux-*.so.*' 2>/dev/null | head -n 1)")
			exec "$lib"/ld-linux-*.so.* --library-path "$lib:$root/usr/lib" "$root/usr/bin/$(basename "$0")" "$@"
		EOF
		chmod +x "$work/root/$program"
	done
	mv "$work/root" "$cache/prometheus-sid"
	rm -rf "$work"
}

gnu_awk() {
	command -v gawk >/dev/null && return
	need_apt "No gawk on PATH."
	update_lists gawk
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends gawk >&2
}

# JMeter is taken apart from its Java, which has to be there: a JDK on PATH. Its
# libraries are the Java packages it depends on, directly or not. Debian's XStream
# is newer than its JMeter and refuses to load any class that JMeter has not
# allowed, which that JMeter cannot do: the class that refuses is replaced.
jmeter() {
	dir=$(cd "$(dirname "$0")/.." && pwd)/.cache/jmeter
	[ -x "$dir/run" ] && return
	command -v javac >/dev/null || { echo "no JDK to run JMeter with" >&2; exit 3; }
	command -v apt-get >/dev/null || { echo "no apt-get to fetch JMeter with" >&2; exit 3; }
	update_lists jmeter
	rm -rf "$dir.new"
	mkdir -p "$dir.new/deb" "$dir.new/root"
	packages=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances jmeter jmeter-http |
		grep -xE '[a-z0-9.+-]+-java|jmeter|jmeter-http|velocity|junit4' | sort -u)
	# shellcheck disable=SC2086 # a list of names
	if ! (cd "$dir.new/deb" && apt-get -qq -o APT::Sandbox::User=root download $packages) >"$dir.new/log" 2>&1; then
		tail -3 "$dir.new/log" >&2
		rm -rf "$dir.new"
		exit 3
	fi
	for deb in "$dir.new"/deb/*.deb; do
		dpkg -x "$deb" "$dir.new/root"
	done
	rm -r "$dir.new/deb"
	cat >"$dir.new/NoTypePermission.java" <<-'EOT'
		package com.thoughtworks.xstream.security;
		public class NoTypePermission implements TypePermission {
			public static final TypePermission NONE = new NoTypePermission();
			public boolean allows(Class type) { return true; }
		}
	EOT
	javac -nowarn -cp "$dir.new/root/usr/share/java/xstream.jar" -d "$dir.new/allow" "$dir.new/NoTypePermission.java"
	cat >"$dir.new/run" <<-'EOT'
		#!/bin/sh
		# run ARGS...: JMeter with the libraries beside it.
		here=$(cd "$(dirname "$0")" && pwd)
		share=$here/root/usr/share
		exec java -Xmx512m -cp "$here/allow:$share/jmeter/bin/ApacheJMeter.jar:$share/java/*" -Djmeter.home="$share/jmeter" \
			org.apache.jmeter.NewDriver "$@"
	EOT
	chmod +x "$dir.new/run"
	mv "$dir.new" "$dir"
}

alertmanager() {
	dir=$(cd "$(dirname "$0")/.." && pwd)/.cache/alertmanager
	[ -x "$dir/amtool" ] && return
	command -v apt-get >/dev/null || { echo "no apt-get to fetch prometheus-alertmanager with" >&2; exit 3; }
	update_lists prometheus-alertmanager || exit 3
	mkdir -p "$dir/deb"
	if ! (cd "$dir/deb" && apt-get -qq -o APT::Sandbox::User=root download prometheus-alertmanager && dpkg -x prometheus-alertmanager_*.deb .); then
		rm -r "$dir/deb"
		exit 3
	fi
	mv "$dir/deb/usr/bin/prometheus-alertmanager" "$dir/deb/usr/bin/amtool" "$dir/"
	rm -r "$dir/deb"
}

# Only those that make test-packages uses are kept of its 60 emulators.
qemu() {
	dir=$(cd "$(dirname "$0")/.." && pwd)/.cache/qemu
	[ -x "$dir/qemu-aarch64-static" ] && return
	command -v apt-get >/dev/null || { echo "no apt-get to fetch qemu-user-static with" >&2; exit 3; }
	update_lists qemu-user-static || exit 3
	mkdir -p "$dir/deb"
	if ! (cd "$dir/deb" && apt-get -qq -o APT::Sandbox::User=root download qemu-user-static && dpkg -x qemu-user-static_*.deb .); then
		rm -r "$dir/deb"
		exit 3
	fi
	mv "$dir/deb/usr/bin/qemu-aarch64-static" "$dir/deb/usr/bin/qemu-x86_64-static" "$dir/"
	rm -r "$dir/deb"
}

# One installation at a time: make may run two targets side by side.
mkdir -p "$(dirname "$0")/../.cache"
if command -v flock >/dev/null; then
	exec 9>"$(dirname "$0")/../.cache/install.lock"
	flock 9
fi

case ${1:-} in
database) database ;;
prometheus) prometheus ;;
mysql) mysql ;;
mariadb-sid) mariadb_sid ;;
moto) moto ;;
mysqld-exporter) mysqld_exporter ;;
gawk) gnu_awk ;;
jmeter) jmeter ;;
prometheus-sid) prometheus_sid ;;
alertmanager) alertmanager ;;
qemu) qemu ;;
*)
	echo "usage: install.sh database|prometheus|mysql|mariadb-sid|moto|mysqld-exporter|gawk|jmeter|prometheus-sid|alertmanager|qemu" >&2
	exit 2
	;;
esac
