#!/bin/bash
# labels: root
# Links in an image never lead to the host: mount destinations (CVE-2021-30465 without the race, CVE-2024-45310), /proc
# (CVE-2019-19921, CVE-2023-27561), /dev (CVE-2026-41579), devices and the console (CVE-2025-52565, CVE-2026-88264),
# /dev/null for masks (CVE-2025-31133), working directory.
. "$SOURCE/tests/lib/common.sh"
require_root
require_command script

make_bundle b /bin/sh /script
echo : >b/rootfs/script
mkdir outside source
echo host >outside/file
echo source >source/file
chmod 700 outside
cp b/config.json config.first
snapshot() { find "$TMPDIR/outside" -printf '%p %m %u %g %l %s %T@ %C@\n' | sort; }
before=$(snapshot)
untouched() { check_eq "$before" "$(snapshot)" "the host's directory after $1"; }
up=../../../../../../../../../..

# Destinations of mounts: absolute links, links with "..", dangling ones, and ones in the middle.
mkdir -p b/rootfs/links
ln -s "$TMPDIR/outside" b/rootfs/links/absolute
ln -s "$up$TMPDIR/outside" b/rootfs/links/up
ln -s "$TMPDIR/outside/new" b/rootfs/links/dangling
ln -s "$up$TMPDIR/outside/file" b/rootfs/links/file
for destination in absolute up dangling absolute/below/deep up/below; do
  cp config.first b/config.json
  for type in bind tmpfs; do
    edit_config b '.mounts += [{destination: $d, type: $t, source: $s, options: (if $t == "bind" then ["rbind"] else [] end)}]' \
      --arg d "/links/$destination" --arg t $type --arg s "$TMPDIR/source"
  done
  check slip run --bundle b "$(new_id)"
  untouched "a mount on $destination"
done
cp config.first b/config.json
edit_config b '.mounts += [{destination: "/links/file", type: "bind", source: $s, options: ["bind"]},
  {destination: "/links/../../../../up2/x", type: "bind", source: $s, options: ["bind"]}]' --arg s "$TMPDIR/source/file"
check slip run --bundle b "$(new_id)"
untouched "a bind of a file"
[ -e b/rootfs/up2/x ]

# A device behind a link.
cp config.first b/config.json
edit_config b '.linux.devices = [{path: "/links/absolute/null", type: "c", major: 1, minor: 3}]'
check slip run --bundle b "$(new_id)"
untouched "a device behind a link"

# The working directory behind a link is made inside.
cp config.first b/config.json
edit_config b '.process.cwd = "/links/up/work"'
check slip run --bundle b "$(new_id)"
untouched "a working directory behind a link"

# /proc is a link.
cp config.first b/config.json
rmdir b/rootfs/proc
mkdir b/rootfs/bad-proc
ln -s /bad-proc b/rootfs/proc
check_fails 1 'must be mounted on ordinary directory' slip run --bundle b "$(new_id)"
rm b/rootfs/proc
ln -s "$TMPDIR/outside" b/rootfs/proc
check_fails 1 'must be mounted on ordinary directory' slip run --bundle b "$(new_id)"
rm b/rootfs/proc
mkdir b/rootfs/proc
untouched "a /proc that is a link"

# /sys is a link.
rmdir b/rootfs/sys
ln -s "$TMPDIR/outside" b/rootfs/sys
check_fails 1 'must be mounted on ordinary directory' slip run --bundle b "$(new_id)"
rm b/rootfs/sys
mkdir b/rootfs/sys
untouched "a /sys that is a link"

# Without a mount on /dev: /dev is a link, and devices, ptmx, links and the console in it are.
edit_config b '.mounts |= map(select(.destination | startswith("/dev") | not))'
cp b/config.json config.bare
rmdir b/rootfs/dev
for target in "$TMPDIR/outside" "$up$TMPDIR/outside" /links/absolute; do
  ln -s "$target" b/rootfs/dev
  check_fails 1 '`/dev`: it is not a directory' slip run --bundle b "$(new_id)"
  rm b/rootfs/dev
  untouched "a /dev that is a link to $target"
done
mkdir b/rootfs/dev
for name in null ptmx fd console core; do
  ln -s "$up$TMPDIR/outside/$name" "b/rootfs/dev/$name"
done
check_fails 1 'create device `/dev/null`' slip run --bundle b "$(new_id)"
untouched "a /dev/null that is a link"
rm b/rootfs/dev/null
check slip run --bundle b "$(new_id)"
untouched "links in /dev"

# The console: a link in /dev, with and without something behind it.
edit_config b '.process.terminal = true | .mounts += [{destination: "/dev/pts", type: "devpts", source: "devpts",
  options: ["newinstance", "ptmxmode=0666"]}]'
run script -qec "'$SLIP' --root '$TMPDIR/slip-run' run --bundle b $(new_id)" /dev/null
[ "$status" != 0 ] || fail "the console went through a link"
check_contains "$out$err" '/dev/console'
untouched "a /dev/console that is a link"
rm b/rootfs/dev/console
ln -s "$TMPDIR/outside/file" b/rootfs/dev/console
run script -qec "'$SLIP' --root '$TMPDIR/slip-run' run --bundle b $(new_id)" /dev/null
[ "$status" != 0 ] || fail "the console went through a link"
untouched "a /dev/console that is a link to a file"
rm b/rootfs/dev/console

# /dev/pts/ptmx that is not of a devpts.
edit_config b '.mounts |= map(select(.destination != "/dev/pts"))'
mkdir -p b/rootfs/dev/pts
mknod b/rootfs/dev/pts/ptmx c 5 2
run script -qec "'$SLIP' --root '$TMPDIR/slip-run' run --bundle b $(new_id)" /dev/null
[ "$status" != 0 ] || fail "a ptmx of the image was taken"
rm -r b/rootfs/dev/pts

# Masks need the real /dev/null: not a link to a file of /proc, not another device.
cp config.bare b/config.json
edit_config b '.linux.maskedPaths = ["/etc/passwd"] | .mounts += [{destination: "/dev/null", type: "bind",
  source: $s, options: ["bind"]}]' --arg s "$TMPDIR/source/file"
rm -f b/rootfs/dev/null
check_fails 1 '/dev/null' slip run --bundle b "$(new_id)"
edit_config b '.mounts |= map(select(.destination != "/dev/null"))'
rm -f b/rootfs/dev/null
mknod b/rootfs/dev/null c 1 5
check_fails 1 '/dev/null' slip run --bundle b "$(new_id)"
rm b/rootfs/dev/null
ln -s /proc/sysrq-trigger b/rootfs/dev/null
check_fails 1 '/dev/null' slip run --bundle b "$(new_id)"
rm b/rootfs/dev/null

# tmpcopyup copies links as links.
cp config.first b/config.json
edit_config b '.mounts += [{destination: "/links", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]'
echo '[ -L /links/file ] && [ -L /links/dangling ] && [ "$(stat -fc %T /links)" = tmpfs ]' >b/rootfs/script
check slip run --bundle b "$(new_id)"
untouched "tmpcopyup of links"

# Over /proc only what lxcfs has there.
for destination in /proc /proc/self/attr /proc/sys/kernel/core_pattern /links/proc; do
  cp config.first b/config.json
  ln -sfn /proc/self/attr b/rootfs/links/proc
  edit_config b '.mounts += [{destination: $d, type: "bind", source: $s, options: ["bind"]}]' \
    --arg d $destination --arg s "$TMPDIR/source"
  run slip run --bundle b "$(new_id)"
  [ "$status" != 0 ] || fail "$destination was covered"
done
