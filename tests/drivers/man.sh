#!/bin/bash
# labels: docs
# timeout: 20
# Every option that a driver knows is in slipway-drivers(7), and the other way round.
. "$SOURCE/tests/lib/common.sh"
page=$(sed 's/\\-/-/g' "$SOURCE/man/slipway-drivers.7" | grep -oE '\\fB(overlay2|btrfs|dm)\.[a-z_]+' | sed 's/^\\fB//' | sort -u)
code=$(cat "$SOURCE"/drivers/*.cc | grep -v fault_point | grep -oE '"(overlay2|btrfs|dm)\.[a-z_]+"' | tr -d '"' | grep -vE '^dm\.(datadev|metadatadev|directlvm_|thinp_)$' | sort -u)
check_eq "$code" "$page" "options"
if command -v man >/dev/null && command -v groff >/dev/null; then
  check_eq "" "$(groff -man -Tutf8 -ww -z "$SOURCE/man/slipway-drivers.7" 2>&1)" "warnings of groff"
fi
