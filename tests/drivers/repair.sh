#!/bin/bash
# labels: root
# timeout: 120
# What a crash of the machine makes of the drivers' own small files (empty, or gone): `system check` says it, `--repair` writes
# them anew, and images and containers are what they were. A layer whose tree is gone comes back from its blob.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command jq
shopt -s nullglob

slipway() {
  "$SLIPWAY" --storage-driver "$driver" --root "$store" --run-root "$TMPDIR/run-$driver" "$@"
}
damage() { # FILE...: all of them are empty, then gone
  local how
  for how in empty gone; do
    echo "-- $driver: ${*##*/} $how"
    rm "$@"
    [ $how = gone ] || touch "$@"
    run slipway system check
    [ "$status" = 1 ] || { show; fail "nobody noticed"; }
    check slipway system check --repair
    check_contains "$out" repaired
    check slipway system check
    check_eq "" "$out"
    check slipway run --rm --network none image cat /lower
    check_eq below "$out"
    check slipway diff kept
    check_eq "$want" "$out"
    check slipway run --rm --network none derived cat /lower /upper
    check_eq $'below\nabove' "$out"
  done
}

make_rootfs "$TMPDIR/rootfs"
echo below >"$TMPDIR/rootfs/lower"
for driver in overlay2 vfs btrfs; do
  store=$TMPDIR/$driver
  mkdir "$store"
  if [ $driver = btrfs ]; then
    command -v mkfs.btrfs >/dev/null || continue
    grep -qw btrfs /proc/filesystems || modprobe -q btrfs || continue
    truncate -s 1G "$TMPDIR/disk"
    mkfs.btrfs -q "$TMPDIR/disk" >/dev/null 2>&1
    mount -o loop "$TMPDIR/disk" "$store"
    trap 'umount "$TMPDIR/btrfs"' EXIT
  fi
  check slipway import "$TMPDIR/rootfs" image
  check slipway run --network none --name kept image sh -c 'echo above >/upper; rm -rf /home'
  check slipway commit kept derived
  check slipway diff kept
  want=$out
  case $driver in
    overlay2)
      damage "$store"/overlay2/*/link
      damage "$store"/overlay2/*/lower
      damage "$store"/overlay2/*/{link,lower}
      rm "$store"/overlay2/l/*
      run slipway system check
      [ "$status" = 1 ] || fail "nobody misses the short names"
      check slipway system check --repair
      check slipway start --attach kept
      rm -r "$store"/overlay2/*/link "$store"/overlay2/l
      check slipway system check --repair
      check slipway start --attach kept
      trees=$store/overlay2
      ;;
    vfs) damage "$store"/vfs/records/*; trees=$store/vfs/dir ;;
    btrfs) damage "$store"/btrfs/records/[0-9a-f]*; trees=$store/btrfs/subvolumes ;;
  esac
  layer=$(slipway image inspect -f '{{index .RootFS.Layers 0}}' image | cut -d : -f 2)
  if [ $driver = btrfs ]; then
    btrfs property set -ts "$trees/$layer" ro false
    btrfs subvolume delete "$trees/$layer" >/dev/null
  else
    rm -r "${trees:?}/$layer"
  fi
  run slipway system check
  check_contains "$out" "its tree is missing"
  check slipway system check --repair
  check slipway system check
  check slipway run --rm --network none image cat /lower
  check slipway start --attach kept
  check slipway rm kept
  check slipway rmi derived image
  check slipway system check
  if [ $driver = btrfs ]; then
    umount "$store"
    trap - EXIT
  fi
done
