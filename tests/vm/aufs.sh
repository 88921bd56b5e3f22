#!/bin/bash
# labels: vm root aufs
# timeout: 600
# lock: vm
# The suite on aufs, in a guest with the kernel AUFS_KERNEL: no distribution has one any more.
. "$SOURCE/tests/lib/common.sh"
[ -n "${AUFS_KERNEL:-}" ] || skip "AUFS_KERNEL is not set to a kernel with aufs built in"
run "$SOURCE/tests/vm/lab" --kernel "$AUFS_KERNEL" --disk 2G --timeout 550 bash -c '
  set -e
  grep -qw aufs /proc/filesystems || modprobe aufs 2>/dev/null || { echo "the kernel $(uname -r) has no aufs" >&2; exit 1; }
  mkfs.ext4 -q /dev/vda && mkdir -p /mnt/store && mount /dev/vda /mnt/store
  SUITE_ROUNDS=3 "$1/tests/drivers/suite" aufs /mnt/store' bash "$BUILD"
[ "$status" != 77 ] || skip "${out#skipped: }"
[ "$status" = 0 ] || { show; fail "exit status $status"; }
