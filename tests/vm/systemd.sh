#!/bin/bash
# labels: vm root cgroup
# timeout: 900
# lock: vm
# A guest whose process 1 is systemd: AppArmor; with STRESS (make check-all) also the systemd cgroup manager over D-Bus, for
# root and for a user, and an engine.
. "$SOURCE/tests/lib/common.sh"
require_program slip
require_command apparmor_parser
cd "$SOURCE"
busybox_tree >/dev/null
tests=(tests/vm/guest/apparmor)
[ -z "${STRESS:-}" ] || tests+=(tests/vm/guest/{systemd,systemd-user,podman})
run tests/vm/lab --systemd --memory 2048 --timeout 850 --env "SOURCE=$SOURCE" --env "BUILD=$BUILD" \
  tests/vm/run-tests "${tests[@]}"
[ "$status" != 77 ] || skip "${out#skipped: }"
echo "$out"
[ "$status" = 0 ] || fail "exit status $status; $err"
