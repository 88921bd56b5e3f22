#!/bin/bash
# labels: root cgroup
# timeout: 240
# system df, prune, check and migrate.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command jq
busybox_image base
root=$TMPDIR/slipway
hash_of() { sha256sum "$1" | cut -d' ' -f1; }

check slipway run --name c1 base sh -c 'mkdir /d; echo 1 >/d/f; ln /d/f /d/g; rm -r /home; chmod 700 /etc; ln -s x /d/l'
check slipway commit c1 derived
check slipway run --name c2 derived sh -c 'rm /d/f; echo 2 >/d/new; rm -r /etc; mkdir /etc; echo x >/etc/only'
check slipway system check
check_eq "" "$out" "a good store"
check slipway system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'
check_eq $'Images 2 2\nContainers 2 0\nLocal Volumes 0 0\nBuild Cache 0 0' "$out"

# From driver to driver: the same trees, the same images; the old driver's layers are gone.
slipway export -o "$TMPDIR/c1.tar" c1
slipway export -o "$TMPDIR/c2.tar" c2
ids=$(slipway images -q --no-trunc | sort)
for driver in vfs overlay2; do
  check slipway --storage-opt overlay2.mountopt=xino=off system migrate --to $driver
  check slipway info -f '{{.Driver}}'
  check_eq $driver "$out"
  check slipway inspect -f '{{.Driver}} {{.GraphDriver.Name}}' c1
  check_eq "$driver $driver" "$out"
  check slipway system check
  check_eq "" "$out" "the store in $driver"
  for c in c1 c2; do
    slipway export -o "$TMPDIR/again.tar" $c
    check_eq "$(hash_of "$TMPDIR/$c.tar")" "$(hash_of "$TMPDIR/again.tar")" "$c in $driver"
  done
  check_eq "$ids" "$(slipway images -q --no-trunc | sort)"
  check slipway run --rm derived sh -c 'cat /d/f; [ ! -e /home ]'
  check_eq 1 "$out"
done
check_eq "" "$(ls "$root/vfs/dir")" "layers that vfs still has"
check_fails 1 "knows no option" slipway --storage-opt nonesuch.x=1 system migrate --to vfs
check_fails 1 "unknown storage driver" slipway system migrate --to nonesuch
check_fails 1 "another storage driver has the image's layers" slipway --storage-driver vfs create base true

# What goes with its container is never synced.
root_mount() { # RUN OPTION...
  local pid
  pid=$(slipway inspect -f '{{.State.Pid}}' "$(slipway run -d --name box "$@" base sleep 1000)")
  grep ' / ' "/proc/$pid/mounts"
  slipway rm -f box >/dev/null
}
check_contains "$(root_mount --rm)" volatile
# Its tree may have been looked at before: for the user of an image that has never run, for a volume.
check slipway import -c 'USER daemon' "$TMPDIR/busybox-rootfs" fresh
check slipway run --rm -v vol:/bin fresh id -un
check_eq daemon "$out"
check slipway volume rm vol
check slipway rmi fresh
check_lacks "$(root_mount)" volatile

# Killed anywhere, it can be done again, and nobody sees a half of it.
for delay in 0.02 0.1 0.25; do
  timeout -s KILL $delay "$SLIPWAY" --root "$root" --run-root "$TMPDIR/slipway-run" system migrate --to vfs 2>/dev/null || true
  check slipway run --rm derived cat /d/f
  check slipway export -o "$TMPDIR/again.tar" c2
  check_eq "$(hash_of "$TMPDIR/c2.tar")" "$(hash_of "$TMPDIR/again.tar")" "c2 after a kill"
done
check slipway system migrate --to vfs
check slipway system migrate --to overlay2
check slipway system check

# What is broken is found; what can be mended is.
layer=$(slipway image inspect -f '{{index .RootFS.Layers 0}}' base | cut -d: -f2)
slipway rm c1 c2 >/dev/null
slipway rmi derived >/dev/null
rm -r "$root/graph/$layer"
check_fails_with() { # TEXT
  run slipway system check
  check_eq 1 "$status"
  check_contains "$out" "$1"
}
check_fails_with "its record is missing"
check slipway system check --repair
check_contains "$out" "repaired"
check slipway system check
check slipway run --rm base true
for record in "$root"/graph/*/json; do : >"$record"; done
check_fails_with "its record is damaged"
check slipway system check --repair
check slipway system check
check slipway run --rm base true
damaged=$(slipway create base true)
: >"$root/containers/$damaged/record.json"
check_fails_with "record of container \`$damaged"
check slipway rm "$damaged"
check slipway system check
rm -r "$root/overlay2/$layer"
check_fails_with "its tree is missing"
check slipway system check --repair
check slipway run --rm base true
echo orphan >"$root/content/blobs/sha256/$(echo orphan | sha256sum | cut -d' ' -f1)"
check_fails_with "nobody needs it"
check slipway system check --repair
check slipway system check
blob=$(find "$root/content/blobs/sha256" -size +500k | head -1)
cp "$blob" "$TMPDIR/blob"
printf X | dd of="$blob" bs=1 seek=1000 conv=notrunc status=none
check_fails_with "another digest"
check slipway system check --quick
cp "$TMPDIR/blob" "$blob"
check slipway system check

# prune, with filters: what they do not fit stays.
check slipway create --name old --label keep=yes base true
check slipway create --name new base true
check slipway system prune -f --filter 'label!=keep'
check_eq old "$(slipway ps -a --format '{{.Names}}' -f name=old -f name=new)"
check slipway container prune -f --filter until=1h
check slipway container prune -f --filter label=other
check_eq old "$(slipway ps -a --format '{{.Names}}' -f name=old)"
check slipway container prune -f --filter label=keep=yes
check_eq '' "$(slipway ps -a --format '{{.Names}}' -f name=old)"
check_fails 1 "invalid filter 'dangling'" slipway container prune -f --filter dangling=true
check slipway run --name c3 base true
check slipway import -m x "$TMPDIR/busybox-rootfs" base
check slipway system prune -f
check_contains "$out" "Deleted Containers:"
check_contains "$out" "Deleted Images:"
check_eq 1 "$(slipway images -aq | wc -l)"
check slipway system prune -af
check_eq "" "$(slipway images -aq)"
check_eq 0 "$(find "$root/content/blobs" -type f | wc -l)"
check slipway system check
