#!/bin/bash
# labels: root cgroup
# timeout: 90
# exec, cp, diff, volumes and mounts.
. "$SOURCE/tests/lib/common.sh"
require_root
busybox_image busybox

check slipway run -d --name box -e COLOUR=red -w /tmp busybox sleep 100
check_eq 'red /tmp' "$(slipway exec box sh -c 'echo $COLOUR $PWD')"
check_eq 'blue /' "$(slipway exec -e COLOUR=blue -w / box sh -c 'echo $COLOUR $PWD')"
check_eq hello "$(echo hello | slipway exec -i box cat)"
check_eq 1000 "$(slipway exec -u user box id -u)"
run slipway exec box sh -c 'exit 9'
check_eq 9 "$status"
check_fails 127 'executable file not found' slipway exec box no-such-program
check_lacks "$(slipway exec --privileged box grep CapEff /proc/self/status)" 00000000a80425fb
check slipway exec -d box touch /tmp/detached
wait_for 5 slipway exec box test -f /tmp/detached
check_eq 2 "$(slipway exec box grep Seccomp: /proc/self/status | tr -dc 0-9)"

# cp follows docker's rules.
echo text >"$TMPDIR/file"
mkdir -p "$TMPDIR/dir/sub"
echo deep >"$TMPDIR/dir/sub/deep"
check slipway cp "$TMPDIR/file" box:/tmp
check_eq text "$(slipway exec box cat /tmp/file)"
check slipway cp "$TMPDIR/file" box:/tmp/renamed
check_eq text "$(slipway exec box cat /tmp/renamed)"
check slipway cp "$TMPDIR/dir" box:/tmp
check_eq deep "$(slipway exec box cat /tmp/dir/sub/deep)"
check slipway cp "$TMPDIR/dir/." box:/tmp/new
check_eq deep "$(slipway exec box cat /tmp/new/sub/deep)"
check slipway cp box:/tmp/dir "$TMPDIR/out"
check_eq deep "$(cat "$TMPDIR/out/sub/deep")"
check_eq tmp/dir/sub/deep "$(slipway cp box:/tmp - | tar t | grep deep$ | grep dir/)"
tar -C "$TMPDIR" -cf - dir | check slipway cp - box:/root
check_eq deep "$(slipway exec box cat /root/dir/sub/deep)"
check_fails 1 'Could not find the file' slipway cp box:/no/such .
check_fails 1 'Could not find the file /no/such in container box' slipway cp "$TMPDIR/file" box:/no/such/file
check_fails 1 'lstat' slipway cp "$TMPDIR/nothing" box:/
check_fails 1 'no such directory' slipway cp "$TMPDIR/file" box:/no/such/
check_fails 1 'cannot copy directory' slipway cp "$TMPDIR/dir" box:/tmp/file
check_fails 1 'copying between containers' slipway cp box:/tmp box:/var
# A file that is copied onto a link replaces what the link leads to, inside the container, even if it is not there yet.
check slipway exec box sh -c 'echo old >/tmp/target; ln -s target /tmp/first; ln -s /tmp/first /tmp/second
  ln -s ../../../../../../tmp/later /tmp/dangling; ln -s loop /tmp/loop; ln -s /tmp/dir /tmp/dirlink'
check slipway cp "$TMPDIR/file" box:/tmp/second
check_eq text "$(slipway exec box cat /tmp/target)"
check slipway cp "$TMPDIR/file" box:/tmp/dangling
check_eq text "$(slipway exec box cat /tmp/later)"
check_eq '/tmp/first target ../../../../../../tmp/later' \
  "$(slipway exec box sh -c 'for l in second first dangling; do readlink /tmp/$l; done' | xargs)" 'links that were copied onto'
check_fails 1 'Too many levels' slipway cp "$TMPDIR/file" box:/tmp/loop
check slipway cp "$TMPDIR/file" box:/tmp/dirlink
check_eq text "$(slipway exec box cat /tmp/dir/file)"
ln -s target "$TMPDIR/link"
check slipway cp box:/tmp/file "$TMPDIR/link"
check_eq text "$(cat "$TMPDIR/target")"
# The link itself, or with -L what it leads to; the owner with -a.
check slipway cp box:/tmp/second "$TMPDIR/is-link"
check_eq /tmp/first "$(readlink "$TMPDIR/is-link")"
check slipway cp -L box:/tmp/second "$TMPDIR/is-file"
[ ! -L "$TMPDIR/is-file" ] || fail "-L copied the link"
check_eq "$(slipway exec box cat /tmp/second)" "$(cat "$TMPDIR/is-file")" "what the link leads to"
check_eq busybox "$(slipway cp -L box:/bin/sh - | tar t)" "-L to a tar"
check_eq sh "$(slipway cp box:/bin/sh - | tar t)"
check_fails 1 'Could not find the file /nodir' slipway cp -L box:/nodir/x -
check_fails 1 'destination must be a directory: /nodir in container box' slipway cp - box:/nodir
check slipway exec box chown 7:8 /tmp/file
check slipway cp box:/tmp/file "$TMPDIR/mine"
check slipway cp -a box:/tmp/file "$TMPDIR/theirs"
check_eq '0:0 7:8' "$(stat -c %u:%g "$TMPDIR/mine" "$TMPDIR/theirs" | xargs)" 'owner without and with -a'
# On a terminal it says what it did, unless -q.
on_terminal() { script -qec "$SLIPWAY --root $TMPDIR/slipway --run-root $TMPDIR/slipway-run $*" /dev/null; }
check_contains "$(on_terminal cp "$TMPDIR/file" box:/tmp)" "Successfully copied 5B to box:/tmp"
check_eq '' "$(on_terminal cp -q "$TMPDIR/file" box:/tmp)"
# A link in the container cannot lead out of it.
echo host >"$TMPDIR/victim"
check slipway exec box ln -s "$TMPDIR" /tmp/out
run slipway cp "$TMPDIR/file" box:/tmp/out/victim
check_eq host "$(cat "$TMPDIR/victim")"
check slipway exec box ln -s /etc/shadow /tmp/shadow
run slipway cp -L box:/tmp/shadow "$TMPDIR/stolen"
[ ! -s "$TMPDIR/stolen" ] || fail 'read a file of the host'

# diff shows what the container did, and nothing that was done for it.
check slipway stop -t 0 box
check slipway cp box:/tmp/file "$TMPDIR/stopped"
check_eq text "$(cat "$TMPDIR/stopped")"
changes=$(slipway diff box)
check_contains "$changes" 'A /tmp/file'
check_contains "$changes" 'C /root'
check_lacks "$changes" /etc
check_lacks "$changes" /dev
check slipway rm box

# Volumes.
check_eq data "$(slipway volume create --label a=x --label c --label a=b data)"
check_eq '{"a":"b","c":""} a=b,c=' \
  "$(slipway volume inspect -f '{{json .Labels}}' data) $(slipway volume ls --format '{{.Labels}}')" 'the last of a label counts'
check_fails 125 'must be KEY=VALUE' slipway volume create --label =b other
check slipway run --rm -v data:/data busybox sh -c 'echo kept >/data/file'
check_eq kept "$(slipway run --rm -v data:/data:ro busybox cat /data/file)"
run slipway run --rm -v data:/data:ro busybox touch /data/x
check_contains "$err" 'Read-only file system'
check_eq root "$(slipway run --rm -v fresh:/etc busybox sh -c 'head -c 4 /etc/passwd')" 'content of the image'
check_eq empty "$(slipway run --rm -v fresh2:/etc:nocopy busybox sh -c 'test -f /etc/passwd || echo empty')"
check slipway run --name holder -v data:/data -v /anonymous busybox true
check_fails 1 'volume is in use' slipway volume rm data
check_eq kept "$(slipway run --rm --volumes-from holder busybox cat /data/file)"
check_eq 4 "$(slipway volume ls -q | wc -l)"
check slipway rm -v holder
check_eq 'data fresh fresh2 ' "$(slipway volume ls -q | tr '\n' ' ')" 'the anonymous one went with -v'
check_eq b "$(slipway volume inspect -f '{{.Labels.a}}' data)"
check slipway volume prune -a -f
check_eq '' "$(slipway volume ls -q)"

# Binds and tmpfs.
mkdir "$TMPDIR/bound"
check slipway run --rm -v "$TMPDIR/bound:/mnt" busybox touch /mnt/made
[ -f "$TMPDIR/bound/made" ] || fail 'the bind is not the directory'
check slipway run --rm -v "$TMPDIR/missing/dir:/mnt" busybox true
[ -d "$TMPDIR/missing/dir" ] || fail '-v did not make the directory'
check_fails 125 'bind source path does not exist' slipway run --rm --mount "type=bind,src=$TMPDIR/nowhere,dst=/mnt" busybox true
check_contains "$(slipway run --rm --tmpfs /scratch:size=1m busybox grep /scratch /proc/mounts)" size=1024k
check_contains "$(slipway run --rm --mount type=tmpfs,dst=/scratch,tmpfs-size=2m busybox grep /scratch /proc/mounts)" size=2048k

# All of a container that runs: its /proc and /sys are the kernel's.
check slipway run -d --name whole busybox sleep 1000
check slipway cp whole:/ "$TMPDIR/whole"
[ -x "$TMPDIR/whole/bin/busybox" ] || fail "cp of the root"
check_eq "" "$(ls "$TMPDIR/whole/proc" "$TMPDIR/whole/sys" | grep -v :)" "what is below /proc and /sys"
check slipway rm -f whole
