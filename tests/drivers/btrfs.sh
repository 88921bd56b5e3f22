#!/bin/bash
# labels: root
# timeout: 200
# The suite on btrfs, and on overlay2 over it, on a loop device.
. "$SOURCE/tests/lib/common.sh"
require_root
require_command mkfs.btrfs losetup
grep -qw btrfs /proc/filesystems || modprobe -q btrfs || skip "no btrfs in this kernel"
truncate -s 2G "$TMPDIR/disk"
mkfs.btrfs -q "$TMPDIR/disk"
mkdir "$TMPDIR/mnt"
mount -o loop "$TMPDIR/disk" "$TMPDIR/mnt"
trap 'umount "$TMPDIR/mnt"' EXIT
mkdir "$TMPDIR/mnt/store"
"$BUILD/tests/drivers/suite" btrfs "$TMPDIR/mnt/store"
SUITE_DEPTH=20 "$BUILD/tests/drivers/suite" overlay2 "$TMPDIR/mnt/store"
