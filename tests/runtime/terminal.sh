#!/bin/bash
# labels: root
# process.terminal: the console, its size, its owner, and that it is the container's own.
. "$SOURCE/tests/lib/common.sh"
require_root
require_command script

make_bundle b /bin/sh /script
edit_config b '.process.terminal = true | .process.consoleSize = {height: 33, width: 77}'
with_terminal() { # SCRIPT
  echo "$1" >b/rootfs/script
  check script -qec "'$SLIP' --root '$TMPDIR/slip-run' run --bundle b $(new_id)" /dev/null
  # script(1) sends what it has for an end of file.
  out=$(tr -d '\r' <<<"$out" | sed 's/\^@//g')
}
with_terminal 'tty; stat -c "%F %t %a" /dev/console; stat -c %t:%T /dev/pts/0 /proc/self/fd/1 -L; echo on the console >/dev/console
ls -1 /dev/pts; exec 3<>/dev/tty && echo controlling >&3; readlink /proc/self/fd/0'
check_eq "/dev/pts/0
character special file 88 620
88:0
88:0
on the console
0
ptmx
controlling
/dev/pts/0" "$out"

# Its owner is the container's user.
edit_config b '.process.user = {uid: 1000, gid: 1000}'
with_terminal 'stat -c %u /dev/pts/0; echo can write >/proc/self/fd/1'
check_eq "1000
can write" "$out"

# Read-only root, and no tmpfs on /dev: the console lands on a file of the image.
edit_config b '.process.user = {uid: 0, gid: 0} | .root.readonly = true'
with_terminal 'stat -c %t /dev/console'
check_eq 88 "$out"
edit_config b '.root.readonly = false | .mounts |= map(select(.destination != "/dev"))'
with_terminal 'stat -c %t /dev/console'
check_eq 88 "$out"
