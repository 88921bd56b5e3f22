#!/bin/bash
# labels: vm root driver slow
# timeout: 1200
# lock: vm
# The suite on overlay2 with project quotas on ext4 and xfs, and on btrfs, with Debian's kernel: one without lowerdir+.
. "$SOURCE/tests/lib/common.sh"
run "$SOURCE/tests/vm/lab" --disk 2G --disk 2G --disk 2G --load xfs --load ext4 --load btrfs --timeout 1150 --env "BUILD=$BUILD" bash -c '
  set -e
  suite() { SUITE_ROUNDS=3 SUITE_DEPTH=$1 "$BUILD/tests/drivers/suite" "${@:2}"; }
  mkfs.ext4 -q -O quota,project -E quotatype=prjquota /dev/vda
  mkfs.xfs -q /dev/vdb
  mkfs.btrfs -q /dev/vdc >/dev/null 2>&1
  mkdir -p /mnt/ext4 /mnt/xfs /mnt/btrfs
  mount -o prjquota /dev/vda /mnt/ext4
  mount -o prjquota /dev/vdb /mnt/xfs
  mount /dev/vdc /mnt/btrfs
  suite 128 overlay2 /mnt/ext4
  suite 20 overlay2 /mnt/xfs
  suite 20 btrfs /mnt/btrfs'
[ "$status" != 77 ] || skip "${out#skipped: }"
[ "$status" = 0 ] || { show; fail "exit status $status"; }
