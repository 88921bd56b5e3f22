#!/bin/bash
# labels: root
# timeout: 120
# A full file system: the error is ENOSPC, nothing of the stage is left, and the layers before it are whole.
. "$SOURCE/tests/lib/common.sh"
require_root
require_command mkfs.ext4 losetup
mkdir "$TMPDIR/mnt"
for driver in overlay2 vfs; do
  truncate -s 48M "$TMPDIR/disk"
  mkfs.ext4 -q -F "$TMPDIR/disk"
  mount -o loop "$TMPDIR/disk" "$TMPDIR/mnt"
  status=0
  SUITE_SMALL=1 SUITE_CASE=no_space "$BUILD/tests/drivers/suite" "$driver" "$TMPDIR/mnt/store" || status=$?
  umount "$TMPDIR/mnt"
  rm "$TMPDIR/disk"
  [ $status = 0 ] || fail "$driver"
done
