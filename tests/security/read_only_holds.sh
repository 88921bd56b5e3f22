#!/bin/bash
# labels: root
# What is read-only or masked stays so: for root of the container with the capabilities of the default configuration, and
# for root of a user namespace, to whom the flags of a source stay, too.
. "$SOURCE/tests/lib/common.sh"
require_root

make_bundle b /bin/sh /script
mkdir -p volume b/rootfs/volume
mount -t tmpfs -o nosuid,nodev,noexec tmpfs volume
echo host >volume/file
edit_config b '.root.readonly = true
  | .mounts += [{destination: "/volume", type: "bind", source: $v, options: ["rbind", "ro"]}]' --arg v "$TMPDIR/volume"
cat >b/rootfs/script <<'END'
try() { "$@" 2>/dev/null && echo "done: $*"; }
try mount -o remount,rw,bind /volume
try mount -o remount,rw,bind,nosuid,nodev,noexec /volume
try umount /volume
try mount -o remount,rw,bind /
try mount -o remount,rw,bind /proc/sys
for path in /proc/sys /proc/keys /proc/timer_list /sys/firmware /sys; do try umount $path; done
try umount -l /proc
try touch /x
try touch /volume/x
try mkdir /sys/firmware/x
[ -z "$(head -c 1 /proc/kcore 2>/dev/null | tr '\0' 0)" ] || echo "read /proc/kcore"
for file in /proc/sys/kernel/domainname /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/irq/default_smp_affinity; do
  { echo 1 >$file; } 2>/dev/null && echo "wrote $file"
done
mkdir /dev/shm/p
try mount -t proc proc /dev/shm/p
try mount --rbind /proc /dev/shm/p
try unshare -m true
try unshare -U -r -m true
awk '$5 == "/volume" { print $6 }' /proc/self/mountinfo
END
check slip run --bundle b "$(new_id)"
check_eq "ro,relatime" "$(grep -v '^done: unshare -U' <<<"$out")" "attempts"

# A process that makes a user namespace of its own has CAP_SYS_ADMIN there, but the mounts are locked.
cat >b/rootfs/script <<'END'
unshare -U -r -m sh -c '
  for path in / /proc/sys /volume; do mount -o remount,rw,bind $path && echo "done: remount $path"; done
  for path in /proc/sys /proc/keys /sys/firmware /volume; do umount $path && echo "done: umount $path"; done
  mkdir -p /dev/shm/p && mount -t proc proc /dev/shm/p && echo "done: a proc without masks"
  mount -t sysfs sysfs /dev/shm/p && echo "done: a sysfs without masks"
' 2>/dev/null || true
END
check slip run --bundle b "$(new_id)"
check_eq "" "$out" "attempts in a new user namespace"

chown -R 100000:100000 b/rootfs
edit_config b '.linux.namespaces += [{type: "user"}]
  | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
  | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
cat >b/rootfs/script <<'END'
awk '$5 == "/volume" { print $6 }' /proc/self/mountinfo
{ echo x >/volume/x; } 2>/dev/null || echo "not written"
END
check slip run --bundle b "$(new_id)"
check_eq "ro,nosuid,nodev,noexec,relatime
not written" "$out" "a bind in a user namespace"
umount volume
