#!/bin/bash
# User strings never fall back to root (CVE-2026-30892), groups of the host never leak, inheritable capabilities are
# those of the configuration (CVE-2022-29162).
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root

bundle=$TMPDIR/b
make_bundle "$bundle" sleep 1000
id=$(new_id)
check slip run --detach --bundle "$bundle" "$id"

as() { # USER WANT: "uid gid groups", or "error"
  run slip exec --user "$1" "$id" sh -c 'echo $(id -u) $(id -g) $(sed -n "s/^Groups://p" /proc/self/status)'
  if [ "$2" = error ]; then
    [ "$status" = 255 ] || { show; fail "user '$1' was taken"; }
  else
    check_eq 0 "$status" "exit status for user '$1'"
    check_eq "$2" "$out" "user '$1'"
  fi
}
as 0 "0 0"
as 1 "1 0"
as 00 "0 0"
as 1:2 "1 2"
as 4242 "4242 0"
as 65534 "65534 0"
as root "0 0"
as user "1000 1000 50"
as user:staff "1000 50"
as user:7 "1000 7"
as 4294967294:4294967294 "4294967294 4294967294"
for bad in 4294967295 4294967296 18446744073709551616 -1 1x x1 '1 ' ' 1' +1 0x0 nobody-here 1:-1 1:4294967295 1:nogroup-here 1:2:3 :nope; do
  as "$bad" error
done

# exec and init: groups and capabilities of the configuration, whatever the caller has.
status_field() {
  sed -n "s/^$1:[[:space:]]*//p" <<<"$out" | xargs
}
check slip exec "$id" cat /proc/self/status
check_eq "" "$(status_field Groups)"
check_eq 0000000000000000 "$(status_field CapInh)"
check_eq 0000000000000000 "$(status_field CapAmb)"
check_eq 1 "$(status_field NoNewPrivs)"
out=$(cat "/proc/$(slip state "$id" | jq .pid)/status")
check_eq "" "$(status_field Groups)"
check_eq 0000000000000000 "$(status_field CapInh)"
check_eq 0000000000000000 "$(status_field CapAmb)"
check slip delete --force "$id"
