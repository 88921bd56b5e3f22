#!/bin/bash
# labels: vm root
# timeout: 200
# lock: vm
# The lab itself: output, exit status, disks, modules and cgroups are as asked for, with and without systemd.
. "$SOURCE/tests/lib/common.sh"
lab=$SOURCE/tests/vm/lab

# (A tree below the guest's own /tmp is shared read-only.)
run "$lab" --disk 64M --load dm-thin-pool --env "GREETING=it's me" bash -c '
  echo "$GREETING"; echo complaint >&2
  stat -fc %T /sys/fs/cgroup; [ -b /dev/vda ] && dmsetup targets | grep -c thin-pool
  [ -x "$1/slip" ] || exit
  touch "$1/from-guest" 2>/dev/null
  exit 7' bash "$BUILD"
[ "$status" != 77 ] || skip "${out#skipped: }"
check_eq 7 "$status" "exit status"
check_eq $'it\'s me\ncgroup2fs\n1' "$out"
check_eq complaint "$err"
[ ! -e "$BUILD/from-guest" ] || fail "the guest wrote to the host's tree"

run "$lab" --systemd bash -c 'cat /proc/1/comm; cut -d: -f3 /proc/self/cgroup; busctl status org.freedesktop.systemd1 >/dev/null'
[ "$status" != 77 ] || skip "${out#skipped: }"
check_eq 0 "$status" "exit status under systemd"
check_eq $'systemd\n/system.slice/lab.service' "$out"

run "$lab" --timeout 3 sleep 1000
check_eq 125 "$status" "exit status of a guest that does not end"
check_contains "$err" "stopped after 3 s"
