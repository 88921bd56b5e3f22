#!/bin/bash
# labels: vm root cgroup
# timeout: 1200
# lock: vm
# A guest whose process 1 is systemd: AppArmor; the systemd cgroup manager over D-Bus, for root and for a user; and engines
# that let systemd manage their containers' cgroups.
. "$SOURCE/tests/lib/common.sh"
require_program slip
require_command apparmor_parser
cd "$SOURCE"
busybox_tree >/dev/null
run tests/vm/lab --systemd --load bfq --memory 2048 --timeout 1150 --env "SOURCE=$SOURCE" --env "BUILD=$BUILD" \
  tests/vm/run-tests tests/vm/guest/{systemd,systemd-user,docker,podman,apparmor,containerd}
[ "$status" != 77 ] || skip "${out#skipped: }"
echo "$out"
[ "$status" = 0 ] || fail "exit status $status; $err"
