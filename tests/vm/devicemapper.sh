#!/bin/bash
# labels: vm root driver
# timeout: 1800
# lock: vm
# devicemapper, in a guest: the suite on thin pools of loop files and of a disk, with ext4 and xfs; pools that get full.
. "$SOURCE/tests/lib/common.sh"
cd "$SOURCE"
busybox_tree >/dev/null
run tests/vm/lab --disk 3G --disk 3G --load dm-thin-pool --load xfs --load ext4 --load loop --memory 1500 --timeout 1750 \
  --env "SOURCE=$SOURCE" --env "BUILD=$BUILD" tests/vm/guest/devicemapper
[ "$status" != 77 ] || skip "${out#skipped: }"
[ "$status" = 0 ] || { show; fail "exit status $status"; }
