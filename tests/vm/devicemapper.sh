#!/bin/bash
# labels: vm root driver
# timeout: 1800
# lock: vm
# devicemapper, in a guest: the suite on thin pools of loop files and of a disk, with ext4 and xfs; pools that get full; and
# the Debian of drivers/debian, which is to be the same as on overlay2 here.
. "$SOURCE/tests/lib/common.sh"
. "$SOURCE/tests/lib/debian.sh"
cd "$SOURCE"
busybox_tree >/dev/null
results=$TMPDIR/results
mkdir -p "$results"/{overlay2,devicemapper}
(debian_image "$results/image.tar") || echo "left out: the Debian"
run tests/vm/lab --disk 3G --disk 3G --load dm-thin-pool --load xfs --load ext4 --load loop --memory 1500 --timeout 1750 \
  --share "$results" --env "RESULTS=$results" --env "SOURCE=$SOURCE" --env "BUILD=$BUILD" tests/vm/guest/devicemapper
[ "$status" != 77 ] || skip "${out#skipped: }"
[ "$status" = 0 ] || { show; fail "exit status $status"; }
[ -e "$results/image.tar" ] || exit 0
debian_use "$results/image.tar" "$results/overlay2"
for driver in overlay2 devicemapper; do debian_judge "$results/image.tar" "$results/$driver" "$driver"; done
