#!/bin/bash
# labels: vm root driver
# timeout: 1200
# lock: vm
# overlay2 and btrfs with Debian's kernel, one without lowerdir+: the suite and slipway, with project quotas on ext4 and xfs,
# and on a machine whose defaults for overlay are not ours.
. "$SOURCE/tests/lib/common.sh"
cd "$SOURCE"
busybox_tree >/dev/null
run tests/vm/lab --disk 2G --disk 2G --disk 2G --load xfs --load ext4 --load btrfs --memory 1500 --timeout 1150 \
  --env "SOURCE=$SOURCE" --env "BUILD=$BUILD" tests/vm/guest/drivers
[ "$status" != 77 ] || skip "${out#skipped: }"
[ "$status" = 0 ] || { show; fail "exit status $status"; }
