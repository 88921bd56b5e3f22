#!/bin/bash
# labels: root
# linux.rootfsPropagation and propagation of binds, between host and container.
. "$SOURCE/tests/lib/common.sh"
require_root

make_bundle b /bin/sh -c 'echo ready >/tell/ready; while [ ! -e /tell/go ]; do sleep 0.05; done; . /script'
mkdir tell volume
edit_config b '.mounts += [{destination: "/tell", type: "bind", source: $t, options: ["bind"]}]
  | .process.capabilities.bounding += ["CAP_SYS_ADMIN"] | .process.capabilities.effective += ["CAP_SYS_ADMIN"]
  | .process.capabilities.permitted += ["CAP_SYS_ADMIN"]' --arg t "$TMPDIR/tell"
mount --bind volume volume
mount --make-private volume
mount --make-shared volume

# with MODE OPTION SCRIPT: mounts on the volume outside once the container runs, then lets it do SCRIPT.
with() {
  rm -f tell/*
  echo "$3" >b/rootfs/script
  edit_config b '.linux.rootfsPropagation = $m | .mounts |= map(select(.destination != "/volume"))
    + [{destination: "/volume", type: "bind", source: $v, options: ["rbind", $o]}]' \
    --arg m "$1" --arg o "$2" --arg v "$TMPDIR/volume"
  slip run --bundle b "$(new_id)" >out 2>err &
  wait_for 10 test -e tell/ready
  mkdir -p volume/outside
  mount -t tmpfs tmpfs volume/outside
  touch volume/outside/file
  touch tell/go
  wait $! || { cat out err >&2; fail "the container failed"; }
  out=$(cat out)
  came=$(grep -c " $TMPDIR/volume/inside " /proc/self/mountinfo || true)
  umount volume/outside
  [ "$came" = 0 ] || umount volume/inside
}
see='ls /volume/outside; mkdir -p /volume/inside; mount -t tmpfs tmpfs /volume/inside'

with slave rslave "$see"
check_eq "file 0" "$out $came" "slave: in, not out"
with private rprivate "$see"
check_eq " 0" "$out $came" "private: neither"
with shared rshared "$see"
check_eq "file 1" "$out $came" "shared: both"
with shared rprivate "$see"
check_eq " 0" "$out $came" "a private bind in a shared root"
with private rshared "$see"
check_eq " 0" "$out $came" "a shared bind in a private root"

root='awk "\$5 == \"/\" { s = \"\"; for (i = 7; \$i != \"-\"; i++) s = s \$i; print s }" /proc/self/mountinfo'
with shared rprivate "$root"
check_contains "$out" "shared:"
with slave rprivate "$root"
check_contains "$out" "master:"
with private rprivate "$root"
check_eq "" "$out"
with unbindable rprivate "$root"
check_eq "unbindable" "$out"
with rshared rprivate "$root"
check_contains "$out" "shared:"
umount volume

# Read-only and masked paths are mounts of the root on itself, also where it can be bound no more.
for mode in unbindable runbindable; do
  edit_config b '.linux.rootfsPropagation = $m | .mounts |= map(select(.destination | . != "/volume" and . != "/tell"))
    | .linux.readonlyPaths += ["/etc"] | .linux.maskedPaths += ["/tmp"] | .process.args = ["sh", "-c", "touch /etc/x"]' --arg m $mode
  check_fails 1 'Read-only file system' slip run --bundle b "$(new_id)"
done
