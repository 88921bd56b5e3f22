#!/bin/bash
# labels: root
# timeout: 300
# A layer that deletes, replaces, links to or reaches through what the layer below has is the same tree in every driver, in
# whatever order its archive says so. PLACES says which drivers, and on which file systems; / is where TMPDIR is.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command python3
cases=$SOURCE/tests/lib/layer_cases.py
python3 "$cases" image "$TMPDIR/image.tar"

slipway() {
  local options=()
  [ "$driver" != devicemapper ] || options=(--storage-opt dm.basesize=400M --storage-opt dm.loopdatasize=2G)
  "$SLIPWAY" --storage-driver "$driver" "${options[@]}" --root "$store/root" --run-root "$TMPDIR/run-$driver" "$@"
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
  mkdir "$TMPDIR/trees"
  for name in $(python3 "$cases" names); do
    check slipway create --name shown "$name" x
    slipway export shown >"$TMPDIR/trees/$name"
    check slipway rm shown
  done
  python3 "$cases" check "$TMPDIR/trees" >"$TMPDIR/got" || fail "$place"
  rm -r "$TMPDIR/trees"
  [ -e "$TMPDIR/want" ] || cp "$TMPDIR/got" "$TMPDIR/want"
  cmp -s "$TMPDIR/want" "$TMPDIR/got" || { diff "$TMPDIR/want" "$TMPDIR/got"; fail "$place: other trees"; }
  check slipway system check
  check_eq "" "$out"
  if [ "$filesystem" != / ]; then
    umount "$store"
    trap - EXIT
    rm "$TMPDIR/disk"
  fi
  rm -r "$store"
done
