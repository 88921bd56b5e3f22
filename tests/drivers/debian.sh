#!/bin/bash
# labels: root cgroup
# timeout: 900
# A Debian of three layers is the same tree, entry by entry with all that an entry has, in every driver; and what a container
# changed in it can be committed, run again and removed. DRIVERS says which drivers (overlay2 vfs btrfs); devicemapper is
# compared with them in vm/devicemapper.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
. "$SOURCE/tests/lib/debian.sh"
debian_image "$TMPDIR/image.tar"

slipway() {
  "$SLIPWAY" --storage-driver "$driver" --root "$store" --run-root "$TMPDIR/run-$driver" "$@"
}
for driver in ${DRIVERS:-overlay2 vfs btrfs}; do
  # On a machine that has much else to do.
  [ $SECONDS -lt "${DEBIAN_SECONDS:-$((400 * ${SLOWER:-1}))}" ] || { echo "== no time is left for $driver"; continue; }
  store=$TMPDIR/store-$driver
  mkdir "$store" "$TMPDIR/$driver"
  if [ "$driver" = btrfs ]; then
    command -v mkfs.btrfs >/dev/null || { echo "no mkfs.btrfs"; continue; }
    grep -qw btrfs /proc/filesystems || modprobe -q btrfs || { echo "no btrfs in this kernel"; continue; }
    truncate -s 3G "$TMPDIR/disk"
    mkfs.btrfs -q "$TMPDIR/disk" >/dev/null 2>&1
    mount -o loop "$TMPDIR/disk" "$store"
    trap 'umount "$TMPDIR/store-btrfs"' EXIT
  fi
  echo "== $driver"
  debian_use "$TMPDIR/image.tar" "$TMPDIR/$driver"
  check_eq "" "$(find "$store"/{graph,containers,content/blobs/sha256} -mindepth 1)" "$driver: what is left"
  if [ "$driver" = btrfs ]; then
    check_eq "" "$(btrfs subvolume list "$store")" "subvolumes left"
    umount "$store"
    trap - EXIT
  fi
  debian_judge "$TMPDIR/image.tar" "$TMPDIR/$driver" "$driver"
done
