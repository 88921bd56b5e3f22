#!/bin/bash
# labels: vm root slow
# timeout: 1500
# lock: vm
# The suite on devicemapper, in a guest: thin pools on loop files and on a disk, xfs and ext4.
. "$SOURCE/tests/lib/common.sh"
run "$SOURCE/tests/vm/lab" --disk 3G --disk 3G --load dm-thin-pool --load xfs --load ext4 --load loop --memory 1500 --timeout 1450 --env "BUILD=$BUILD" \
  "$SOURCE/tests/vm/devicemapper-in-guest"
[ "$status" != 77 ] || skip "${out#skipped: }"
[ "$status" = 0 ] || { show; fail "exit status $status"; }
