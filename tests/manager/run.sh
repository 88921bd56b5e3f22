#!/bin/bash
# labels: root cgroup
# timeout: 120
# `run` and `create`: exit codes, streams, and what each option does inside the container.
. "$SOURCE/tests/lib/common.sh"
require_root
busybox_image busybox
in_container() { # OPTION... -- COMMAND...: its output
  local options=()
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  slipway run --rm "${options[@]}" busybox "$@"
}

# What a container mounts on and its image does not have is made once, below the image, and not in each container's layer.
check slipway run -d --rm --name places busybox sleep 100
check slipway exec places ls -d /etc/hostname /proc/self
check slipway diff places
check_eq '' "$out"
[ ! -e "$TMPDIR/slipway/overlay2" ] ||
  check_eq '' "$(ls "$(slipway inspect -f '{{.GraphDriver.Data.UpperDir}}' places)")" 'in the upper directory'
check slipway rm -f places

# Exit codes are docker's.
run slipway run --rm busybox sh -c 'exit 7'
check_eq 7 "$status"
if slip_is_static; then
  run slipway run --rm --init busybox sh -c 'kill -9 $$'
  check_eq 137 "$status"
  check_contains "$(in_container --init -- ps)" docker-init
fi
check_fails 127 'executable file not found' slipway run --rm busybox no-such-program
check_fails 126 '/etc' slipway run --rm busybox /etc
check_fails 125 'No such image' slipway run --rm --pull never no-such-image true
check_fails 125 'unknown flag: --no-such-flag' slipway run --no-such-flag busybox
check_eq '' "$(slipway ps -aq)" 'containers left'

# Streams.
check_eq hello "$(echo hello | slipway run --rm -i busybox cat)"
check_eq '' "$(echo lost | slipway run --rm busybox cat)" 'stdin without -i'
check slipway run --rm busybox sh -c 'echo out; echo err >&2'
check_eq 'out err' "$out $err"
check_eq 1048576 "$(slipway run --rm busybox head -c 1048576 /dev/zero | wc -c)"
check_eq 3000000 "$(head -c 3000000 /dev/zero | slipway run --rm -i busybox wc -c)"

# Identity and surroundings.
check_eq 'uid=0(root) gid=0(root)' "$(in_container -- id | sed 's/ groups.*//')"
check_eq 'uid=1000(user) gid=1000(user) groups=50(staff),1000(user)' "$(in_container -u user -- id)"
check_eq 'uid=1000(user) gid=50(staff) groups=50(staff)' "$(in_container -u 1000:staff -- id)"
check_contains "$(in_container --group-add 50 -- id)" '50(staff)'
check_fails 125 'unable to find user nobody-knows' slipway run --rm -u nobody-knows busybox true
check_eq /tmp "$(in_container -w /tmp -- pwd)"
check_eq /made/here "$(in_container -w /made/here -- pwd)"
check_eq box "$(in_container -h box -- hostname)"
check_eq box "$(in_container -h box -- cat /etc/hostname)"
check_eq example "$(in_container --domainname example -- cat /proc/sys/kernel/domainname)"
check_eq 'a b' "$(in_container -e A=a -e B=b -- sh -c 'echo $A $B')"
slipway import -c 'ENV A=image' -c 'ENV B=image' "$TMPDIR/busybox-rootfs" with-env >/dev/null
check_eq 'unset|' "$(env -u A "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" run --rm -e A -e B= with-env sh -c 'echo "${A-unset}|$B"')" \
  'a name that is not set here'
check_eq inherited "$(INHERITED=inherited slipway run --rm -e INHERITED busybox sh -c 'echo $INHERITED')"
printf '# comment\nX=1\n\nY=two words\n' >"$TMPDIR/env"
check_eq '1 two words' "$(in_container --env-file "$TMPDIR/env" -- sh -c 'echo $X $Y')"
check_eq 'entry arg' "$(in_container --entrypoint echo -- entry arg)"
check_contains "$(in_container --add-host db:10.1.2.3 -- cat /etc/hosts)" $'10.1.2.3\tdb'
check_contains "$(in_container --dns 9.9.9.9 --dns-search corp -- cat /etc/resolv.conf)" 'nameserver 9.9.9.9'

# Confinement.
check_contains "$(in_container -- grep CapEff /proc/self/status)" 00000000a80425fb
check_contains "$(in_container --cap-drop ALL -- grep CapEff /proc/self/status)" 0000000000000000
check_contains "$(in_container --cap-drop ALL --cap-add NET_ADMIN -- grep CapEff /proc/self/status)" 0000000000001000
check_contains "$(in_container -- grep Seccomp: /proc/self/status)" 2
check_contains "$(in_container --security-opt seccomp=unconfined -- grep Seccomp: /proc/self/status)" 0
check_contains "$(in_container --security-opt no-new-privileges -- grep NoNewPrivs /proc/self/status)" 1
run slipway run --rm --read-only busybox touch /x
check_contains "$err" 'Read-only file system'
check in_container --privileged -- test -b /dev/loop0 || check in_container --privileged -- test -c /dev/kmsg
check_contains "$(in_container --device /dev/loop-control:/dev/mine -- ls -l /dev/mine)" '10, 237'

# Limits.
memory=$(cgroup_of memory)
check_eq 33554432 "$(in_container -m 32m -- cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || in_container -m 32m -- cat /sys/fs/cgroup/memory.max)" "in $memory"
check_eq 77 "$(in_container --ulimit nofile=77 -- sh -c 'ulimit -n')"
check_contains "$(in_container --shm-size 1m -- df -k /dev/shm)" 1024
check_eq 500 "$(in_container --oom-score-adj 500 -- cat /proc/self/oom_score_adj)"
check_contains "$(in_container --pids-limit 33 -- sh -c 'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null || true')" 33
check_contains "$(in_container --cpus 0.5 -- sh -c 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>/dev/null || true')" 50000

# Namespaces.
check_eq "$(readlink /proc/self/ns/net)" "$(in_container --network host -- readlink /proc/self/ns/net)"
check_eq "$(readlink /proc/self/ns/pid)" "$(in_container --pid host -- readlink /proc/self/ns/pid)"
check_eq "$(readlink /proc/self/ns/ipc)" "$(in_container --ipc host -- readlink /proc/self/ns/ipc)"
check_eq "$(readlink /proc/self/ns/uts)" "$(in_container --uts host -- readlink /proc/self/ns/uts)"
check_eq 'lo' "$(in_container --network none -- ls /sys/class/net)"
check_eq 12345 "$(in_container --sysctl kernel.msgmax=12345 -- cat /proc/sys/kernel/msgmax)"
check slipway run -d --name other --network none busybox sleep 100
check_eq "$(slipway exec other readlink /proc/self/ns/net)" "$(in_container --network container:other -- readlink /proc/self/ns/net)"
check_eq "$(slipway exec other readlink /proc/1/ns/pid)" "$(in_container --pid container:other -- readlink /proc/self/ns/pid)"
check slipway rm -f other

# --cidfile, names.
check slipway run --cidfile "$TMPDIR/cid" --name named busybox true
check_eq "$(slipway inspect -f '{{.Id}}' named)" "$(cat "$TMPDIR/cid")"
check_fails 125 'container ID file found' slipway run --cidfile "$TMPDIR/cid" busybox true
check_fails 125 'No such file or directory' slipway run --cidfile "$TMPDIR/nowhere/cid" --name nameless busybox true
check_fails 1 'No such container' slipway rm nameless
check_fails 125 'is already in use by container' slipway run --name named busybox true
check slipway rm named
check_eq '' "$(slipway ps -aq)" 'containers left'

# Without slipway-monitor beside it slipway is its own monitor.
mkdir "$TMPDIR/alone"
cp "$BUILD/slipway" "$TMPDIR/alone"
alone() { SLIPWAY=$TMPDIR/alone/slipway slipway run --rm busybox echo alone; }
check alone
check_eq alone "$out"
# So it is where that cannot be executed.
beside=$TMPDIR/alone/slipway-monitor
: >"$beside"
check alone
chmod +x "$beside"
check alone
mount --bind "$BUILD/slipway-monitor" "$beside"
mount -o remount,bind,noexec "$beside"
check alone
umount "$beside"
rm "$beside"
mkdir "$beside"
check alone
rmdir "$beside"
# One of another build is told apart.
build=$("$BUILD/slipway" --version | sed 's/.*build //')
sed "s/$build/${build//[0-9a-f]/e}/g" "$BUILD/slipway-monitor" >"$beside"
chmod +x "$beside"
check_fails 125 'is not of the same build as slipway (version' alone
rm "$beside"
check_eq '' "$(ls "$TMPDIR/slipway-run/monitors")" 'directories of monitors'
check_eq '' "$(slipway ps -aq)" 'containers left'
