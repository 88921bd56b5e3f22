#!/bin/bash
# labels: vm root aufs
# timeout: 900
# lock: vm
# The suite and slipway on aufs, in a guest with the kernel AUFS_KERNEL: no distribution has one any more.
. "$SOURCE/tests/lib/common.sh"
[ -n "${AUFS_KERNEL:-}" ] || skip "AUFS_KERNEL is not set to a kernel with aufs built in"
cd "$SOURCE"
busybox_tree >/dev/null
run tests/vm/lab --kernel "$AUFS_KERNEL" --disk 2G --memory 1500 --timeout 850 \
  --env "SOURCE=$SOURCE" --env "BUILD=$BUILD" tests/vm/guest/aufs
[ "$status" != 77 ] || skip "${out#skipped: }"
[ "$status" = 0 ] || { show; fail "exit status $status"; }
