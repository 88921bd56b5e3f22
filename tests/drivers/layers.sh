#!/bin/bash
# labels: root
# timeout: 300
# A layer that deletes, replaces, links to or reaches through what the layer below has is the same tree in every driver, in
# whatever order its archive says so. PLACES says which drivers, and on which file systems (/ is where the test's own
# directory is); STORAGE_OPTIONS what they need ("--storage-opt dm.basesize=1G", in a guest).
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command python3
cases=$SOURCE/tests/lib/layer_cases.py
python3 "$cases" image "$TMPDIR/image.tar"

slipway() {
  # shellcheck disable=SC2086 # several words, or none
  "$SLIPWAY" --storage-driver "$driver" ${STORAGE_OPTIONS:-} --root "$store/root" --run-root "$TMPDIR/run-$driver" "$@"
}
store=$TMPDIR/mnt
for place in ${PLACES:-vfs:/ overlay2:/ btrfs:btrfs overlay2:xfs vfs:xfs}; do
  driver=${place%:*} filesystem=${place#*:}
  mkdir "$store"
  if [ "$filesystem" != / ]; then
    command -v "mkfs.$filesystem" >/dev/null || { echo "no mkfs.$filesystem"; rmdir "$store"; continue; }
    grep -qw "$filesystem" /proc/filesystems || modprobe -q "$filesystem" || { echo "no $filesystem in this kernel"; rmdir "$store"; continue; }
    truncate -s 1G "$TMPDIR/disk"
    "mkfs.$filesystem" -q "$TMPDIR/disk" >/dev/null 2>&1
    mount -o loop "$TMPDIR/disk" "$store"
    trap 'umount "$TMPDIR/mnt"' EXIT
  fi
  echo "== $driver on $filesystem"
  check slipway load -q -i "$TMPDIR/image.tar"
  for name in $(python3 "$cases" names); do
    check slipway create --name shown "$name" x
    slipway export shown | python3 "$cases" check "$name" >"$TMPDIR/got" || fail "$place: $name"
    [ -e "$TMPDIR/$name" ] || cp "$TMPDIR/got" "$TMPDIR/$name"
    cmp -s "$TMPDIR/$name" "$TMPDIR/got" || { diff "$TMPDIR/$name" "$TMPDIR/got"; fail "$place: $name is another tree"; }
    check slipway rm shown
  done
  check slipway system check
  check_eq "" "$out"
  if [ "$filesystem" != / ]; then
    umount "$store"
    trap - EXIT
    rm "$TMPDIR/disk"
  fi
  rm -r "$store"
done
