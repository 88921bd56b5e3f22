#!/bin/bash
# labels: root
# Mounts of config.json, as the container sees them.
. "$SOURCE/tests/lib/common.sh"
require_root

# A script in the root file system is the container's program.
make_bundle b /bin/sh /script
mkdir -p dir/sub rootfs-extra
echo in >dir/file
echo source >source
inside() { # SCRIPT: runs it in the container; its output is $out
  echo "$1" >b/rootfs/script
  check slip run --bundle b "$(new_id)"
}
mount_of() { # DESTINATION TYPE SOURCE OPTION...: adds a mount
  local destination=$1 type=$2 source=$3
  shift 3
  cp b/config.json config.kept
  edit_config b '.mounts += [{destination: $d, type: $t, source: $s, options: $ARGS.positional}]' \
    --arg d "$destination" --arg t "$type" --arg s "$source" --args -- "$@"
}
drop_mounts() { cp config.first b/config.json; }
cp b/config.json config.first
# The options of a mount in the container, and its optional fields.
options='opts() { awk -v at="$1" "\$5 == at { print \$6 }" /proc/self/mountinfo | tail -n 1; }
fields() { awk -v at="$1" "\$5 == at { s=\"\"; for (i = 7; \$i != \"-\"; i++) s = s \$i; print s }" /proc/self/mountinfo | tail -n 1; }'

# Binds of a directory, of a file (made in the root), of a relative source.
mount_of /mnt bind "$TMPDIR/dir" rbind ro nosuid
mount_of /etc/conf/file bind "$TMPDIR/source" bind
mount_of /relative none ../dir rbind
inside "$options
cat /mnt/file /etc/conf/file /relative/file; opts /mnt; echo x >/etc/conf/file; echo x >/mnt/x; echo ro=\$?"
check_eq "in
source
in
ro,nosuid,relatime
ro=1" "$out"
check_eq x "$(cat source)"
check_eq 755 "$(stat -c %a b/rootfs/etc/conf)"

# tmpfs: the mode of what it covers, or 1777; options reach it; tmpcopyup.
drop_mounts
mkdir -m 1750 b/rootfs/data
echo kept >b/rootfs/data/file
chown 7:8 b/rootfs/data/file
mount_of /data tmpfs tmpfs size=64k
mount_of /fresh tmpfs tmpfs nodev
mount_of /copied tmpfs tmpfs tmpcopyup ro
mkdir b/rootfs/copied
cp -a b/rootfs/data/file b/rootfs/copied
ln -s file b/rootfs/copied/link
inside "stat -c %a /data /fresh; ls /data; stat -c %u:%g /copied/file; cat /copied/link; df -k /data | tail -1 | awk '{print \$2}'
echo x >/copied/x || echo read-only"
check_eq "1750
1777
7:8
kept
64
read-only" "$out"
# Idmapped, too, where the kernel maps the ids of a tmpfs (6.3).
drop_mounts
mount_of /data tmpfs tmpfs 'idmap=uids=0-1000-10;gids=0-1000-10'
echo 'stat -c %a /data' >b/rootfs/script
run slip run --bundle b "$(new_id)"
if [ "$status" != 0 ] && [ "$(printf '%s\n' 6.3 "$(uname -r)" | sort -V | head -n 1)" != 6.3 ]; then
  check_contains "$err" 'map the ids of `tmpfs` on `/data`'
else
  check_eq 0 "$status" "exit status with idmap: $err"
  check_eq 1750 "$out"
fi

# Recursive attributes, in both directions.
drop_mounts
mount --bind dir dir
mount -t tmpfs tmpfs dir/sub
mount_of /ro bind "$TMPDIR/dir" rbind ro
mount_of /rro bind "$TMPDIR/dir" rbind rro rnosuid
inside "$options
opts /ro; opts /ro/sub; opts /rro; opts /rro/sub"
check_eq "ro,relatime
rw,relatime
ro,nosuid,relatime
ro,nosuid,relatime" "$out"
umount dir/sub dir

# Propagation.
drop_mounts
mount_of /shared bind "$TMPDIR/dir" bind rshared
mount_of /private bind "$TMPDIR/dir" bind private
mount_of /unbindable tmpfs tmpfs unbindable
inside "$options
fields /shared; fields /private; fields /unbindable"
check_contains "$out" "shared:"
check_eq "unbindable" "$(tail -n 1 <<<"$out")"

# Idmapped.
drop_mounts
edit_config b '.mounts += [{destination: "/mapped", type: "bind", source: $s, options: ["bind"],
  uidMappings: [{containerID: 0, hostID: 1000, size: 10}], gidMappings: [{containerID: 0, hostID: 2000, size: 10}]}]' \
  --arg s "$TMPDIR/dir"
inside "stat -c %u:%g /mapped/file"
check_eq 1000:2000 "$out"

# mqueue, proc and sysfs elsewhere; a destination relative to the root; mount options without meaning here.
drop_mounts
mount_of mnt/queue mqueue mqueue nosuid defaults
mount_of /mnt/proc proc proc
mount_of /mnt/sys sysfs sysfs ro
inside "ls -d /mnt/proc/self /mnt/sys/kernel; grep -c ' /mnt/queue ' /proc/self/mountinfo"
check_eq "/mnt/proc/self
/mnt/sys/kernel
1" "$out"

# Errors name the mount.
drop_mounts
mount_of /mnt bind /no/such/source bind
check_fails 1 'mount `/no/such/source` on `/mnt`: No such file or directory' slip run --bundle b "$(new_id)"
drop_mounts
mount_of /mnt nonsense nonsense
check_fails 1 'mount `nonsense` on `/mnt`' slip run --bundle b "$(new_id)"
drop_mounts
mount_of /mnt tmpfs tmpfs nonsense
check_fails 1 'mount `tmpfs` on `/mnt`: Invalid argument' slip run --bundle b "$(new_id)"
drop_mounts
mount_of /mnt bind "$TMPDIR/dir" bind mode=755
check_fails 1 'mounts[7] `/mnt`: bind mounts cannot have any filesystem-specific options applied' \
  slip run --bundle b "$(new_id)"
