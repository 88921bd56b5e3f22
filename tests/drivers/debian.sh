#!/bin/bash
# labels: root cgroup
# timeout: 900
# A Debian of three layers is the same tree, entry by entry with all that an entry has, in every driver; and what a container
# changed in it can be committed, run again and removed. DRIVERS says which drivers (overlay2 vfs btrfs); devicemapper needs a
# guest, and its pool a disk below TMPDIR.
# The Debian is made by debootstrap once, into build/tests; DEBIAN_TAR names another tar of a root file system.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command python3
trees=$SOURCE/tests/lib/trees.py
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
base=${DEBIAN_TAR:-$BUILD/tests/debian.tar}

make_debian() {
  require_command debootstrap curl
  curl -sf -m 10 -o "$TMPDIR/release" "$mirror/dists/stable/Release" || skip "no Debian mirror at $mirror"
  timeout 300 debootstrap --variant=minbase stable "$TMPDIR/debian" "$mirror" >"$TMPDIR/log" 2>&1 ||
    { tail -n 3 "$TMPDIR/log"; skip "debootstrap failed"; }
  # What only costs time here.
  tar -C "$TMPDIR/debian" --exclude=./dev --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' \
    --exclude='./usr/share/locale/*' --exclude='./usr/share/doc/*' --exclude='./usr/share/zoneinfo/*' --exclude='./usr/lib/*/gconv/*' --xattrs -cf "$base.$$" .
  mv "$base.$$" "$base"
  rm -rf "$TMPDIR/debian"
}
[ -e "$base" ] || make_debian
python3 "$trees" image "$base" "$TMPDIR/image.tar"
# The specification's own reading of the image: nothing of ours has touched this tree.
mkdir "$TMPDIR/plain"
python3 "$trees" unpack "$TMPDIR/image.tar" "$TMPDIR/plain"
python3 "$trees" manifest "$TMPDIR/plain" >"$TMPDIR/want"
rm -rf "$TMPDIR/plain"

slipway() {
  local options=()
  [ "$driver" != devicemapper ] || options=(--storage-opt dm.basesize=1G)
  "$SLIPWAY" --storage-driver "$driver" "${options[@]}" --root "$store" --run-root "$TMPDIR/run-$driver" "$@"
}
# exported CONTAINER FILE: the manifest of a container's tree.
exported() {
  mkdir "$TMPDIR/tree"
  slipway export "$1" | python3 "$trees" untar "$TMPDIR/tree"
  python3 "$trees" manifest "$TMPDIR/tree" >"$2"
  rm -rf "$TMPDIR/tree"
}
same() { # WANT GOT WHAT
  cmp -s "$1" "$2" || { diff "$1" "$2" | head -n 20; fail "$3"; }
}
# What a container does to its system.
read -r -d '' change <<'SH' || true
set -e
rm -r /usr/share/perl5 /usr/local/one/dir
rm /usr/local/c
rm -r /etc/cron.daily; mkdir -m 750 /etc/cron.daily; echo x >/etc/cron.daily/only
rm -r /etc/apt; echo file >/etc/apt
rm /srv/file; rmdir /srv; ln -s usr /srv
mkdir -p /new/deep/er; echo 1 >/new/deep/er/f; ln /new/deep/er/f /new/g; ln -s deep /new/l; mkfifo /new/fifo; mknod /new/null c 1 3
chmod 700 /opt; chown 12:34 /usr/bin/dash; mv /usr/bin/diff /usr/bin/tell
echo more >>/etc/passwd
touch -d @1000000000.5 /new /new/g /new/deep /new/deep/er /new/fifo /new/null /etc/apt /etc/passwd /etc/cron.daily/only
touch -h -d @1000000000 /new/l /srv
SH

for driver in ${DRIVERS:-overlay2 vfs btrfs}; do
  # On a machine that has much else to do.
  [ $SECONDS -lt "${DEBIAN_SECONDS:-$((400 * ${SLOWER:-1}))}" ] || { echo "== no time is left for $driver"; continue; }
  store=$TMPDIR/$driver
  mkdir "$store"
  if [ "$driver" = btrfs ]; then
    command -v mkfs.btrfs >/dev/null || { echo "no mkfs.btrfs"; continue; }
    grep -qw btrfs /proc/filesystems || modprobe -q btrfs || { echo "no btrfs in this kernel"; continue; }
    truncate -s 3G "$TMPDIR/disk"
    mkfs.btrfs -q "$TMPDIR/disk" >/dev/null 2>&1
    mount -o loop "$TMPDIR/disk" "$store"
    trap 'umount "$TMPDIR/btrfs"' EXIT
  fi
  echo "== $driver"
  check slipway load -q -i "$TMPDIR/image.tar"
  check slipway create --name plain debian3
  exported plain "$TMPDIR/got"
  same "$TMPDIR/want" "$TMPDIR/got" "$driver: the tree is not that of the image"

  check slipway run --rm debian3 dpkg --status dash
  check_contains "$out" "Status: install ok installed"
  check slipway run --name changed debian3 sh -c "$change"
  check slipway diff changed
  LC_ALL=C sort <<<"$out" >"$TMPDIR/diff-$driver"
  check slipway commit changed committed
  check slipway run --rm committed sh -c 'cat /new/g; [ ! -e /usr/share/perl5 ] && [ -f /etc/apt ] && ls /etc/cron.daily'
  check_eq $'1\nonly' "$out"
  check slipway create --name again committed
  exported again "$TMPDIR/tree-$driver"
  grep -q "^'new/null' 020[0-7]* 0:0 .* 1,3" "$TMPDIR/tree-$driver" || fail "$driver: the device was not committed"
  # The container itself, but for the empty places of its mounts.
  exported changed "$TMPDIR/got"
  grep -vE "^'(dev|proc|sys|\.dockerenv|etc/(hosts|hostname|resolv.conf|mtab))" "$TMPDIR/got" >"$TMPDIR/got.kept"
  grep -vE "^'(dev|proc|sys|\.dockerenv|etc/(hosts|hostname|resolv.conf|mtab))" "$TMPDIR/tree-$driver" >"$TMPDIR/again.kept"
  same "$TMPDIR/got.kept" "$TMPDIR/again.kept" "$driver: the commit is not what the container was"
  if [ -n "${first:-}" ]; then
    same "$TMPDIR/diff-$first" "$TMPDIR/diff-$driver" "$driver: diff says other things than in $first"
    same "$TMPDIR/tree-$first" "$TMPDIR/tree-$driver" "$driver: what was committed is not the same as in $first"
  fi
  first=${first:-$driver}

  check slipway system check
  check_eq "" "$out" "$driver: system check"
  check slipway rm plain changed again
  check slipway rmi committed debian3
  check slipway system check
  check_eq "" "$(ls "$store/graph" "$store/containers" "$store/content/blobs/sha256" | grep -v '^/\|^$' || true)" "$driver: what is left"
  if [ "$driver" = btrfs ]; then
    check_eq "" "$(btrfs subvolume list "$store")" "subvolumes left"
    umount "$store"
    trap - EXIT
  fi
done
