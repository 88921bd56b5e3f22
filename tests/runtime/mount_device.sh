#!/bin/bash
# labels: root cgroup
# timeout: 60
# A file system on a block device in config.json, which the container itself may not open: it is mounted all the same, every
# time, with its options.
. "$SOURCE/tests/lib/common.sh"
require_root
require_command mkfs.ext4 losetup jq
truncate -s 16M "$TMPDIR/disk"
mkfs.ext4 -q -F "$TMPDIR/disk"
device=$(losetup --find --show "$TMPDIR/disk") || skip "no loop device"
trap 'delete_containers; losetup --detach "$device"' EXIT

make_bundle "$TMPDIR/b" sh -c 'grep " /data " /proc/self/mounts; echo more >>/data/file && cat /data/file
  dd if=/disk of=/dev/null bs=1 count=1 2>/dev/null && echo "the device can be read"; true'
edit_config "$TMPDIR/b" '.linux.resources.devices = [{allow: false, access: "rwm"}]'
mknod "$TMPDIR/b/rootfs/disk" b $((0x$(stat -c %t "$device"))) $((0x$(stat -c %T "$device")))
mounted() { # OPTION...: a filter that mounts the device so
  local options
  options=$(jq -nc '$ARGS.positional' --args -- "$@")
  edit_config "$TMPDIR/b" "(.mounts |= map(select(.destination != \"/data\"))) |
    .mounts += [{destination: \"/data\", type: \"ext4\", source: \"$device\", options: $options}]"
}

mounted nosuid nodev noatime data=journal
for i in 1 2 3 4 5 6 7 8; do
  check slip run --bundle "$TMPDIR/b" "$(new_id "$i")"
  check_contains "$out" "$device /data ext4 rw,nosuid,nodev,noatime"
  check_contains "$out" "data=journal"
  check_eq "$i" "$(grep -c more <<<"$out")" "lines in the file"
  check_lacks "$out" "can be read"
done
mounted ro sync
run slip run --bundle "$TMPDIR/b" "$(new_id ro)"
check_contains "$out" "$device /data ext4 ro,sync,relatime"
check_contains "$err" "Read-only file system"
mounted no-such-option
run slip run --bundle "$TMPDIR/b" "$(new_id wrong)"
[ "$status" != 0 ] || { show; fail "an unknown option was taken"; }
check_contains "$err" no-such-option
