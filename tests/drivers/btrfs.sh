#!/bin/bash
# labels: root
# timeout: 200
# The suite on btrfs, and on overlay2 over it, on a loop device; containers that make subvolumes.
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

# Subvolumes inside a container's, which any user of btrfs may make, are directories of it.
require_program slipway
require_command btrfs
mkdir "$TMPDIR/mnt/slipway"
slipway() {
  "$SLIPWAY" --storage-driver btrfs --root "$TMPDIR/mnt/slipway" --run-root "$TMPDIR/slipway-run" "$@"
}
busybox_image image
check slipway create --name box image true
tree=$(slipway inspect -f '{{.GraphDriver.Data.Subvolume}}' box)
btrfs subvolume create "$tree/inner" >/dev/null
btrfs subvolume create "$tree/inner/most" >/dev/null
echo kept >"$tree/inner/most/file"
check slipway diff box
check_contains "$out" "A /inner/most/file"
check slipway commit box committed
check slipway run --rm --network none committed cat /inner/most/file
check_eq kept "$out"
check slipway rm box
check slipway rmi committed image
check_lacks "$(btrfs subvolume list "$TMPDIR/mnt")" slipway
