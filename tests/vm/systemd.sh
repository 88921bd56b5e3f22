#!/bin/bash
# labels: vm root cgroup slow
# timeout: 900
# lock: vm
# The systemd cgroup manager over D-Bus, and AppArmor, in a guest whose process 1 is systemd.
. "$SOURCE/tests/lib/common.sh"
require_program slip
require_command apparmor_parser
cd "$SOURCE"
run tests/vm/lab --systemd --timeout 850 --memory 1500 --env "SOURCE=$SOURCE" --env "BUILD=$BUILD" \
  tests/vm/run-tests tests/vm/guest/systemd
[ "$status" != 77 ] || skip "${out#skipped: }"
echo "$out"
[ "$status" = 0 ] || fail "exit status $status; $err"
