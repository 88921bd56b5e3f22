# shellcheck shell=bash disable=SC2154
# A Debian of three layers, and what a container does to it, in a driver. Sourced after common.sh.
#
# The Debian is made by debootstrap once, into build/tests; DEBIAN_TAR names another tar of a root file system.
trees=$SOURCE/tests/lib/trees.py
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
base=${DEBIAN_TAR:-$BUILD/tests/debian.tar}

# debian_image FILE: the image as an archive.
debian_image() {
  require_command python3
  [ -e "$base" ] || make_debian
  python3 "$trees" image "$base" "$1"
}
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

# What a container does to its system.
read -r -d '' debian_change <<'SH' || true
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

# debian_use IMAGE OUT: with slipway, in an empty store: OUT/plain.tar is the image's tree, OUT/changed.tar that of a container
# that has changed it, OUT/diff what `diff` says of that, and OUT/again.tar the tree of what was committed.
debian_use() {
  check slipway load -q -i "$1"
  check slipway create --name plain debian3
  slipway export plain >"$2/plain.tar"
  check slipway run --rm debian3 dpkg --status dash
  check_contains "$out" "Status: install ok installed"
  check slipway run --name changed debian3 sh -c "$debian_change"
  check slipway diff changed
  LC_ALL=C sort <<<"$out" >"$2/diff"
  check slipway commit changed committed
  check slipway run --rm committed sh -c 'cat /new/g; [ ! -e /usr/share/perl5 ] && [ -f /etc/apt ] && ls /etc/cron.daily'
  check_eq $'1\nonly' "$out"
  check slipway create --name again committed
  slipway export again >"$2/again.tar"
  slipway export changed >"$2/changed.tar"

  check slipway system check
  check_eq "" "$out" "system check"
  check slipway rm plain changed again
  check slipway rmi committed debian3
  check slipway system check
}

# debian_judge IMAGE OUT NAME: whether those are the trees that they should be, and those of the first that was judged.
debian_judge() {
  local part
  if [ ! -e "$TMPDIR/want" ]; then
    # The specification's own reading of the image: nothing of ours has touched this tree.
    mkdir "$TMPDIR/tree"
    python3 "$trees" unpack "$1" "$TMPDIR/tree"
    python3 "$trees" manifest "$TMPDIR/tree" >"$TMPDIR/want"
    rm -rf "$TMPDIR/tree"
  fi
  for part in plain again changed; do
    mkdir "$TMPDIR/tree"
    python3 "$trees" untar "$TMPDIR/tree" <"$2/$part.tar"
    python3 "$trees" manifest "$TMPDIR/tree" >"$2/$part"
    rm -rf "$TMPDIR/tree" "$2/$part.tar"
  done
  debian_same "$TMPDIR/want" "$2/plain" "$3: the tree is not that of the image"
  grep -q "^'new/null' 020[0-7]* 0:0 .* 1,3" "$2/again" || fail "$3: the device was not committed"
  # The container itself, but for the empty places of its mounts.
  for part in again changed; do
    grep -vE "^'(dev|proc|sys|\.dockerenv|etc/(hosts|hostname|resolv.conf|mtab))" "$2/$part" >"$2/$part.kept"
  done
  debian_same "$2/changed.kept" "$2/again.kept" "$3: the commit is not what the container was"
  [ -n "${debian_first:-}" ] || debian_first=$2
  debian_same "$debian_first/diff" "$2/diff" "$3: diff says other things than in ${debian_first##*/}"
  debian_same "$debian_first/again" "$2/again" "$3: what was committed is not the same as in ${debian_first##*/}"
}
debian_same() { # WANT GOT WHAT
  cmp -s "$1" "$2" || { diff "$1" "$2" | head -n 20; fail "$3"; }
}
