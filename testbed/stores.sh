#!/bin/sh
# stores.sh [yace]: the stores that `make test-stores` reads from, below .cache/stores.
# VictoriaMetrics comes from Debian; a newer one, Thanos and Cortex are compiled
# from their Go modules, apart from ours, which takes two cores half an hour. Each
# that cannot be had is named, and the tests go on without it. With yace it is
# YACE (yet-another-cloudwatch-exporter) alone, for `make test-migrating`.
set -u
target=test-stores
stores=$(cd "$(dirname "$0")/.." && pwd)/.cache/stores
mkdir -p "$stores"

not_run() {
	echo "NOT RUN: $target with $1 (it cannot be fetched or built here: $stores/$2.log)"
}

debian() {
	[ -x "$stores/victoria-metrics-debian" ] && return
	echo "Fetching victoria-metrics from Debian into .cache"
	rm -rf "$stores/deb"
	mkdir -p "$stores/deb"
	(cd "$stores/deb" && apt-get -qq -o APT::Sandbox::User=root download victoria-metrics && dpkg -x victoria-metrics_*.deb .) \
		>"$stores/victoria-metrics-debian.log" 2>&1 &&
		mv "$stores/deb/usr/bin/victoria-metrics" "$stores/victoria-metrics-debian" || not_run "Debian's VictoriaMetrics" victoria-metrics-debian
	rm -rf "$stores/deb"
}

# build NAME MODULE VERSION PACKAGE LINKER-FLAGS: copies the module, because `go
# install` refuses one that replaces others, and compiles it there. slicelabels is
# how Thanos and Cortex are released; without it their messages between processes
# are garbage.
build() {
	[ -x "$stores/$1" ] && return
	echo "Compiling $2@$3 into .cache (minutes)"
	src=$stores/src-$1
	(
		set -e
		export GOTOOLCHAIN=local GOFLAGS=-mod=mod GOWORK=off
		cd "$stores"
		dir=$(go mod download -json "$2@$3" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p')
		[ -n "$dir" ]
		rm -rf "$src"
		cp -r "$dir" "$src"
		chmod -R u+w "$src"
		cd "$src"
		go build -p 1 -tags slicelabels -ldflags "$5" -o "$stores/$1" "$4"
	) >"$stores/$1.log" 2>&1 || not_run "$2@$3" "$1"
	rm -rf "$src"
}

if [ "${1:-}" = yace ]; then
	target=test-migrating
	build yace github.com/nerdswords/yet-another-cloudwatch-exporter v0.61.2 ./cmd/yace ''
	exit
fi
debian
build victoria-metrics github.com/VictoriaMetrics/VictoriaMetrics v1.102.1 ./app/victoria-metrics ''
build thanos github.com/thanos-io/thanos v0.40.1 ./cmd/thanos '-X github.com/prometheus/common/version.Version=0.40.1'
build cortex github.com/cortexproject/cortex v1.21.1 ./cmd/cortex '-X main.Version=1.21.1'
