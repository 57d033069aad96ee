#!/bin/sh
# prepare.sh: runs once before everything else in compose.yaml, as root without
# a network. Passwords are random, never printed, and readable by the two who need
# them only; what exists already stays.
set -eu
umask 077

# secret NAME USER GROUP
secret() {
	if [ ! -s "/secrets/$1" ]; then
		head -c 24 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n' >"/secrets/$1.new"
		chmod 0440 "/secrets/$1.new"
		mv "/secrets/$1.new" "/secrets/$1"
	fi
	chown "$2:$3" "/secrets/$1"
}

chmod 0755 /secrets
secret mysql-root 999 999
secret testbed 999 999
secret exporter 65532 999 # the exporter, and the database that creates its account
secret grafana 472 0
chown 999:999 /results /run/testbed
