#!/bin/bash
# labels: root cgroup
# timeout: 90
# Wrong uses: one clear line and the right exit code each.
. "$SOURCE/tests/lib/common.sh"
require_root
busybox_image busybox
check slipway run -d --name live busybox sleep 100
check slipway create --name dead busybox true

check_fails 1 'unknown command "psx", did you mean "ps"' slipway psx
check_fails 1 'unknown command "container lss", did you mean "container ls"' slipway container lss
check_fails 1 'did you mean "volume create"' slipway volume creat x
check_fails 1 'did you mean "network"' slipway netwrok
# Each verb has an example; all but those of many options fit a screen.
for verb in $(slipway --help | sed -n '/^Commands/,/^Groups/s/^  \([a-z]*\)  .*/\1/p'); do
  help=$(slipway $verb --help)
  case $verb in login | logout | pull | push | search) continue ;; esac
  check_contains "$help" Example "help of $verb"
  case $verb in run | create) continue ;; esac
  [ "$(wc -l <<<"$help")" -le 30 ] || fail "help of $verb does not fit a screen"
done
check_fails 125 'unknown flag: --nope' slipway ps --nope
check_fails 1 '"run" requires at least 1 argument' slipway run
check_fails 1 '"rename" requires exactly 2 arguments' slipway rename one
check_fails 1 '"images" requires at most 1 argument' slipway images one two
check_fails 1 '"commit" requires at least 1 and at most 2 arguments' slipway commit
check_fails 1 '"ps" accepts no arguments' slipway ps one
check_fails 125 'flag needs an argument' slipway run --name
check_fails 1 'No such container: nothing' slipway start nothing
check_fails 1 'No such container: nothing' slipway stop nothing
check_fails 1 'No such container: nothing' slipway logs nothing
check_fails 1 'No such container: nothing' slipway rm nothing
check_fails 1 'No such container: nothing' slipway exec nothing true
check_fails 1 'open `/nodir/file`: No such file' slipway save -o /nodir/file busybox
check_fails 1 'is not running' slipway kill dead
check_fails 1 'is not running' slipway exec dead true
check_fails 1 'You cannot attach to a stopped container' slipway attach dead
check_fails 1 'You cannot remove a running container' slipway rm live
check_fails 125 'is already in use by container' slipway run --name live busybox true
check_fails 125 'Invalid container name' slipway run --name 'bad/name' busybox true
check_fails 1 'Invalid signal' slipway kill -s NONSENSE live
check_fails 125 'invalid size' slipway run -m lots busybox true
check_fails 125 'Minimum memory limit allowed is 6MB' slipway run -m 1m busybox true
check_fails 125 'invalid capability' slipway run --cap-add NOT_A_CAP busybox true
check_fails 125 'mount path must be absolute' slipway run -v /tmp:relative busybox true
check_fails 125 'Duplicate mount point' slipway run -v /tmp:/x -v /var:/x busybox true
check_fails 125 'invalid mode' slipway run -v /tmp:/x:sideways busybox true
check_fails 125 'conflicting options' slipway run -d -a stdout busybox true
check_fails 125 'invalid port' slipway run -p 99999:80 busybox true
check_fails 125 'invalid restart policy' slipway run --restart sometimes busybox true
check_fails 125 'no log driver named' slipway run --log-driver pigeon busybox true
check_fails 125 'cannot join' slipway run --network container:dead busybox true
check_fails 125 'not found' slipway run --network my-network busybox true
check_fails 1 'input device is not a TTY' slipway run -it busybox true
check_fails 125 'error gathering device information' slipway run --device /dev/no-such busybox true
check_fails 125 'opening seccomp profile' slipway run --security-opt seccomp=/no/such busybox true
check_fails 125 'invalid --security-opt' slipway run --security-opt bogus=1 busybox true
check_fails 125 'No such file' slipway run --env-file /no/such busybox true
check_fails 1 'No such volume' slipway volume rm nothing
check_fails 125 'No such image: nothing' slipway run --pull never nothing true
check_fails 125 'invalid reference format' slipway run 'UPPER CASE' true
check_fails 1 'No such image: nothing' slipway rmi nothing
check_fails 1 'No such' slipway inspect nothing
echo garbage >"$TMPDIR/garbage"
check_fails 1 'garbage' slipway import "$TMPDIR/garbage"
check_fails 1 'nrecognized archive format' slipway load -i "$TMPDIR/garbage"
check_fails 1 'template parsing error' slipway ps --format '{{.Names'
check_fails 64 '{{define}} is not supported' slipway inspect -f '{{define "x"}}{{end}}' live
check_fails 1 'invalid filter' slipway ps --filter what=ever

# Sixteen beginnings, seventeen more containers: one of them fits two.
for i in $(seq 17); do check slipway create --name "many$i" busybox true; done
prefix=$(slipway ps -aq | cut -c1 | sort | uniq -d | head -n 1)
check_fails 1 'multiple IDs found with provided prefix' slipway start "$prefix"
check_fails 1 'multiple IDs found with provided prefix' slipway rm "$prefix"
check slipway rm $(seq -f many%.0f 17)

# A full disk, and one that is read-only.
small() { "$SLIPWAY" --root "$TMPDIR/small/store" --run-root "$TMPDIR/slipway-run" "$@"; }
mkdir "$TMPDIR/small"
mount -t tmpfs -o size=2m tmpfs "$TMPDIR/small"
dd if=/dev/urandom of="$TMPDIR/busybox-rootfs/large" bs=1M count=4 status=none
check_fails 1 'No space left on device' small import "$TMPDIR/busybox-rootfs" large
check small images -aq
check_eq "" "$out" "images of a full disk"
mount -o remount,ro "$TMPDIR/small"
check_fails 1 'Read-only file system' small import "$TMPDIR/busybox-rootfs" large
check_fails 1 'Read-only file system' small create large true
umount "$TMPDIR/small"
check slipway rm -f live dead
left=$(slipway ps -aq)
[ -z "$left" ] || slipway rm -f $left >/dev/null
