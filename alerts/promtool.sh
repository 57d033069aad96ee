#!/bin/sh
# promtool.sh FOLDER...: checks the rules and runs their cases with the promtool
# in each folder, side by side. Prints what fails; exits 1 if anything does.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { echo "usage: promtool.sh FOLDER... (each with a promtool in it)" >&2; exit 2; }

# try FOLDER: what its promtool says, in one piece.
try() {
	status=0
	said=$({ "$1/promtool" check rules alerts/rules/*.yaml alerts/migrating/rules.yaml && "$1/promtool" test rules alerts/tests/*.yaml alerts/migrating/test.yaml; } 2>&1) || status=1
	version=$("$1/promtool" --version 2>&1 | head -n 1)
	if [ $status = 0 ]; then
		echo "ok   ${version%% (*}: $(ls alerts/rules/*.yaml alerts/migrating/rules.yaml | wc -l) files of rules, $(cat alerts/tests/*.yaml alerts/migrating/test.yaml | grep -c '^- name: ') cases"
	else
		printf 'FAIL %s\n%s\n' "${version%% (*}" "$said"
	fi
	return $status
}

children=
for folder in "$@"; do
	try "$folder" &
	children="$children $!"
done
status=0
for child in $children; do
	wait "$child" || status=1
done
exit $status
