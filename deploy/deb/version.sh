#!/bin/sh
# version.sh VERSION SECONDS: the Debian version of what `git describe` calls
# VERSION, committed at SECONDS since 1970. Debian's versions begin with a digit,
# and what follows a ~ sorts before the end: a commit without any tag is older
# than every release, a candidate older than its release.
set -eu
case $1 in
v[0-9]* | [0-9]*.*) printf '%s\n' "$1" | sed -E 's/^v//; s/-dirty$/+dirty/; s/-([0-9]+)-g([0-9a-f]+)/+\1.g\2/; s/-/~/g' ;;
*) printf '0~git%s.%s\n' "$(TZ=UTC date -u -d "@$2" +%Y%m%d%H%M)" "$(printf '%s\n' "$1" | tr - +)" ;;
esac
