#!/bin/bash
# labels: root
# Devices: the default ones, those of linux.devices, the links of /dev.
. "$SOURCE/tests/lib/common.sh"
require_root

make_bundle b /bin/sh /script
inside() {
  echo "$1" >b/rootfs/script
  check slip run --bundle b "$(new_id)"
}
[ -e /proc/kcore ] && core="/dev/core /proc/kcore" || core=

inside 'umask 077; for d in null zero full random urandom tty; do stat -c "%n %a %F %t:%T %u:%g" /dev/$d; done
for l in fd stdin stdout stderr ptmx core; do [ ! -L /dev/$l ] || echo /dev/$l "$(readlink /dev/$l)"; done
echo x >/dev/null && head -c 2 /dev/zero | wc -c'
check_eq "/dev/null 666 character special file 1:3 0:0
/dev/zero 666 character special file 1:5 0:0
/dev/full 666 character special file 1:7 0:0
/dev/random 666 character special file 1:8 0:0
/dev/urandom 666 character special file 1:9 0:0
/dev/tty 666 character special file 5:0 0:0
/dev/fd /proc/self/fd
/dev/stdin /proc/self/fd/0
/dev/stdout /proc/self/fd/1
/dev/stderr /proc/self/fd/2
/dev/ptmx pts/ptmx
${core:+$core
}2" "$out"

edit_config b '.linux.devices = [
  {path: "/dev/net/tun", type: "c", major: 10, minor: 200, fileMode: 438, uid: 5, gid: 6},
  {path: "/dev/disk", type: "b", major: 7, minor: 3, fileMode: 432},
  {path: "/var/fifo", type: "p", fileMode: 384},
  {path: "/dev/u", type: "u", major: 1, minor: 3},
  {path: "/dev/ptmx", type: "c", major: 5, minor: 2},
  {path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 420}]'
inside 'stat -c "%n %a %F %t:%T %u:%g" /dev/net/tun /dev/disk /var/fifo /dev/u /dev/null; readlink /dev/ptmx'
check_eq "/dev/net/tun 666 character special file a:c8 5:6
/dev/disk 660 block special file 7:3 0:0
/var/fifo 600 fifo 0:0 0:0
/dev/u 666 character special file 1:3 0:0
/dev/null 644 character special file 1:3 0:0
pts/ptmx" "$out"
# The second time they exist already (outside /dev).
inside 'stat -c "%n %a" /var/fifo'
check_eq "/var/fifo 600" "$out"

# Something else of that name is not taken for the device.
rm b/rootfs/var/fifo
echo text >b/rootfs/var/fifo
check_fails 1 'create device `/var/fifo`: something else of this name exists' slip run --bundle b "$(new_id)"

# Without its number it is no device.
edit_config b '.linux.devices = [{path: "/dev/x", type: "c", major: 1}]'
check_fails 1 'linux.devices[0]: major and minor are required' slip run --bundle b "$(new_id)"

# A /dev of the host is left alone.
edit_config b '.linux.devices = [] | .mounts |= (map(select(.destination | startswith("/dev") | not))
  + [{destination: "/dev", type: "bind", source: "/dev", options: ["rbind", "rprivate"]}])'
before=$(ls -l /dev/ptmx /dev/fd 2>&1)
inside 'ls /dev | head -n 3'
check_eq "$before" "$(ls -l /dev/ptmx /dev/fd 2>&1)"
