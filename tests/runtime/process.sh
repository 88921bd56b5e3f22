#!/bin/bash
# What config.json says of the process is what the process sees: user, groups, capabilities, limits, environment.
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root
require_command capsh

bundle=$TMPDIR/b
make_bundle "$bundle" sh -c 'cat /proc/self/status; echo "umask $(umask)"; echo "pwd $(pwd)"; env; echo "nofile $(ulimit -n)"'
id=$(new_id)
field() { # NAME
  sed -n "s/^$1:[[:space:]]*//p" <<<"$out" | tr '\t' ' '
}

edit_config "$bundle" '.process.user = {uid: 1000, gid: 50, additionalGids: [7, 9], umask: 23}
  | .process.cwd = "/srv/made/here" | .process.env = ["PATH=/bin", "A=1", "B=2", "A=3", "HOME="]
  | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 111, hard: 222}]
  | .process.oomScoreAdj = 77
  | .process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"],
      inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}'
check slip run --bundle "$bundle" "$id"
check_eq "1000 1000 1000 1000" "$(field Uid)"
check_eq "50 50 50 50" "$(field Gid)"
check_eq "7 9" "$(field Groups | xargs)"
for set in CapInh CapPrm CapEff CapAmb; do
  check_eq 0000000000000020 "$(field $set)" $set
done
check_eq 0000000000000021 "$(field CapBnd)" CapBnd
check_eq 1 "$(field NoNewPrivs)"
check_contains "$out" "umask 0027"
check_contains "$out" "pwd /srv/made/here"
check_contains "$out" "HOME=/home" "HOME of the container's passwd"
check_contains "$out" "nofile 111"
check_contains "$out" "A=3"
check_lacks "$out" "A=1"
check_eq 1 "$(grep -c ^HOME= <<<"$out")" "HOMEs"

# Nobody's home is /; groups are cleared; no capabilities at all; no umask is 0022.
edit_config "$bundle" '.process.user = {uid: 4242, gid: 0} | del(.process.capabilities) | .process.noNewPrivileges = false'
check slip run --bundle "$bundle" "$id"
check_contains "$out" "HOME=/"$'\n'
check_eq "" "$(field Groups | xargs)"
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
  check_eq 0000000000000000 "$(field $set)" $set
done
check_eq 0 "$(field NoNewPrivs)"
check_contains "$out" "umask 0022"

# What cannot be granted is a warning: what the caller does not have, and what another set lacks.
cp "$bundle/config.json" "$TMPDIR/config"
edit_config "$bundle" '.process.args = ["cat", "/proc/self/status"] | .process.user = {uid: 0, gid: 0} | .process.capabilities =
  {bounding: ["CAP_SYS_BOOT", "CAP_KILL"], permitted: ["CAP_SYS_BOOT", "CAP_KILL"], effective: ["CAP_KILL", "CAP_CHOWN", "CAP_FSETID"],
   inheritable: ["CAP_FOWNER"], ambient: ["CAP_KILL"]}'
run capsh --drop=cap_sys_boot -- -c "'$SLIP' --root '$TMPDIR/slip-run' run --bundle '$bundle' '$id'"
check_eq 0 "$status" "$err"
for set in CapPrm CapEff CapBnd; do check_eq 0000000000000020 "$(field $set)" $set; done
for set in CapInh CapAmb; do check_eq 0000000000000000 "$(field $set)" $set; done
for warning in 'bounding: ignored, as not to be granted here: CAP_SYS_BOOT' 'permitted: ignored, as not to be granted here: CAP_SYS_BOOT' \
  'effective: ignored, as not permitted: CAP_CHOWN, CAP_FSETID' 'inheritable: ignored, as not in the bounding set: CAP_FOWNER'; do
  check_contains "$err" "warning: process.capabilities.$warning"
done
# podman and buildah name ambient ones as a matter of course, without inheritable ones.
check_eq 4 "$(wc -l <<<"$err")" "warnings"
edit_config "$bundle" '.process.capabilities |= (.inheritable = ["CAP_KILL"] | .ambient = ["CAP_KILL", "CAP_CHOWN"] | .effective = ["CAP_KILL"])'
check slip run --bundle "$bundle" "$id"
check_eq 0000000000000020 "$(field CapAmb)" CapAmb
check_contains "$err" "warning: process.capabilities.ambient: ignored, as not both permitted and inheritable: CAP_CHOWN"
# A user namespace of its own has all of them.
edit_config "$bundle" '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
  | .linux.gidMappings = .linux.uidMappings | .process.capabilities |= (.effective = .permitted | del(.inheritable, .ambient))'
chmod 711 "$bundle" "$TMPDIR"
run capsh --drop=cap_sys_boot -- -c "'$SLIP' --root '$TMPDIR/slip-run' run --bundle '$bundle' '$id'"
check_eq "0 " "$status $err"
check_eq 0000000000400020 "$(field CapEff)" CapEff
mv "$TMPDIR/config" "$bundle/config.json"

# Signals that the caller ignores or blocks are not the container's.
edit_config "$bundle" '.process.args = ["grep", "^Sig", "/proc/self/status"]'
(trap '' HUP TERM USR1 RTMIN+3; slip run --bundle "$bundle" "$id" >"$TMPDIR/signals")
out=$(cat "$TMPDIR/signals")
check_eq 0000000000000000 "$(field SigIgn)" SigIgn
check_eq 0000000000000000 "$(field SigBlk)" SigBlk

# The user can open its standard streams again.
edit_config "$bundle" '.process.user = {uid: 1000, gid: 1000} | .process.args = ["sh", "-c", "echo again >/proc/self/fd/1"]'
slip run --bundle "$bundle" "$id" | cat >"$TMPDIR/stream"
check_eq again "$(cat "$TMPDIR/stream")"
null_before=$(stat -c '%u %g %a' /dev/null)
slip run --bundle "$bundle" "$id" >/dev/null
check_eq "$null_before" "$(stat -c '%u %g %a' /dev/null)" "the host's /dev/null"

# ... also in a user namespace, which has no rights over a file of the caller; and those of exec.
cp "$bundle/config.json" "$TMPDIR/config"
chmod 711 "$bundle" "$TMPDIR"
edit_config "$bundle" '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
  | .linux.gidMappings = .linux.uidMappings'
check slip run --bundle "$bundle" "$id"
check_eq again "$out"
check_eq "101000 0" "$(stat -c '%u %g' "$TMPDIR/.out")" "owner of a standard stream"
edit_config "$bundle" '.process.args = ["sleep", "100"]'
check slip run --detach --bundle "$bundle" "$id"
check_eq "0 0 0 0" "$(slip exec "$id" stat -c '%u %g' /dev/shm /dev/mqueue | xargs)" "owner of /dev/shm and /dev/mqueue"
check slip exec --user 5:5 "$id" sh -c 'echo again >/proc/self/fd/1'
check_eq again "$out"
check slip delete --force "$id"
mv "$TMPDIR/config" "$bundle/config.json"

# One that the caller has closed is /dev/null, not what the runtime opens next.
edit_config "$bundle" '.process.user = {uid: 0, gid: 0} | .process.args = ["readlink", "/proc/self/fd/0"]'
check_eq /dev/null "$(slip run --bundle "$bundle" "$id" <&-)"
edit_config "$bundle" '.process.args = ["sh", "-c", "for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done >>/tmp/streams 3>&1"]'
slip run --bundle "$bundle" "$id" <&- >&- 2>&- || fail "without standard streams: exit status $?"
check_eq "/dev/null /tmp/streams /dev/null" "$(xargs <"$bundle/rootfs/tmp/streams")"

# A working directory that only root may enter, and one that only the user may.
mkdir -m 700 "$bundle/rootfs/roots" "$bundle/rootfs/users"
chown 1000:1000 "$bundle/rootfs/users"
for cwd in /roots /users; do
  edit_config "$bundle" '.process.args = ["pwd"] | .process.user = {uid: 1000, gid: 1000} | .process.cwd = $cwd' --arg cwd $cwd
  check slip run --bundle "$bundle" "$id"
  check_eq $cwd "$out"
done
edit_config "$bundle" '.process.user = {uid: 1001, gid: 1001} | .process.cwd = "/"'

# The CPUs of the caller are not the container's.
edit_config "$bundle" '.process.args = ["grep", "Cpus_allowed_list", "/proc/self/status"]'
all=$(grep Cpus_allowed_list /proc/self/status)
(taskset -cp 0 $BASHPID >/dev/null && slip run --bundle "$bundle" "$id" >"$TMPDIR/cpus")
check_eq "$all" "$(cat "$TMPDIR/cpus")"

# execCPUAffinity is for exec, not for init.
if [ "$(nproc)" -gt 1 ]; then
  cp "$bundle/config.json" "$TMPDIR/config"
  edit_config "$bundle" '.process.execCPUAffinity = {initial: "0", final: "1"}'
  check slip run --bundle "$bundle" "$id"
  check_eq "$all" "$out"
  edit_config "$bundle" '.process.args = ["sleep", "100"]'
  check slip run --detach --bundle "$bundle" "$id"
  check slip exec "$id" grep Cpus_allowed_list /proc/self/status
  check_eq $'Cpus_allowed_list:\t1' "$out"
  echo '{"args": ["true"], "cwd": "/", "execCPUAffinity": {"final": "9999"}}' >"$TMPDIR/far.json"
  check_fails 255 'process.execCPUAffinity.final' slip exec --process "$TMPDIR/far.json" "$id"
  check slip delete --force "$id"
  mv "$TMPDIR/config" "$bundle/config.json"
fi

# scheduler, ioPriority, personality, memoryPolicy
edit_config "$bundle" '.process.user = {uid: 0, gid: 0} | .process.args = ["cat", "/proc/self/sched"]
  | .process.scheduler = {policy: "SCHED_BATCH", nice: 7} | .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}
  | .linux.personality = {domain: "LINUX32"} | .linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
check slip run --bundle "$bundle" "$id"
check_eq 3 "$(sed -n 's/^policy *: *//p' <<<"$out")" policy
edit_config "$bundle" '.process.args = ["uname", "-m"]'
check slip run --bundle "$bundle" "$id"
[ "$(uname -m)" != x86_64 ] || check_eq i686 "$out"

# linux.sysctl, by either spelling; hostname and domainname
edit_config "$bundle" '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel/msgmax": "4321"} | .hostname = "h1" | .domainname = "d1"
  | .process.args = ["cat", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/msgmax", "/proc/sys/kernel/hostname",
     "/proc/sys/kernel/domainname"]'
check slip run --bundle "$bundle" "$id"
check_eq "1 4321 h1 d1" "$(xargs <<<"$out")"
