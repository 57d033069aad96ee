#!/bin/sh
# testbed.sh FLAGS...: the demo against the stack's database. The password goes
# from its file into the environment and never onto a command line. Each start has
# a folder of its own: the demo wants a new one.
set -eu
TOKEN_PERSISTENCE_DSN="testbed:$(cat /secrets/testbed)@tcp(mysql:3306)/apimdb"
export TOKEN_PERSISTENCE_DSN
exec testbed demo --out "/results/$(date -u +%Y%m%dT%H%M%SZ)" "$@"
