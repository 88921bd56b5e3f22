#!/bin/bash
# Further processes in a container.
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root

bundle=$TMPDIR/b
make_bundle "$bundle" sleep 1000
id=$(new_id)
edit_config "$bundle" '.process.cwd = "/tmp" | .linux.namespaces |= (map(select(.type != "cgroup")) + [{"type": "cgroup"}])'
check slip run --detach --bundle "$bundle" "$id"
pid=$(slip state "$id" | jq .pid)

check slip exec "$id" cat /proc/self/cgroup
check_lacks "$out" "$id" "cgroup as seen inside"
for ns in pid mnt net ipc uts; do
  check_eq "$(readlink "/proc/$pid/ns/$ns")" "$(slip exec "$id" readlink /proc/self/ns/$ns)" "namespace $ns"
done
check_eq /tmp "$(slip exec "$id" pwd)"
run slip exec "$id" sh -c 'exit 7'
check_eq 7 "$status"
run slip exec "$id" sh -c 'kill -9 $$'
check_eq 137 "$status"
echo input | slip exec "$id" cat >"$TMPDIR/out"
check_eq input "$(cat "$TMPDIR/out")"

check_fails 255 'executable file not found in $PATH' slip exec "$id" nope
check_fails 255 'no such file or directory' slip exec "$id" /nope
check_fails 255 'does not exist' slip exec "$id-other" true

# flags
check slip exec --env X=1 --cwd /etc --user 1000:50 --additional-gids 9 --cap CAP_KILL "$id" \
  sh -c 'echo $X; pwd; id -u; id -g; grep -E "Groups|CapEff|CapBnd" /proc/self/status'
check_contains "$out" $'1\n/etc\n1000\n50\n'
check_contains "$out" "9"
# A process that is described by a file.
jq -n '{args: ["sh", "-c", "echo from file; id -u; grep Cap /proc/self/status"], cwd: "/", user: {uid: 5, gid: 5}, env: ["PATH=/bin"]}' \
  >"$TMPDIR/p.json"
check slip exec --process "$TMPDIR/p.json" "$id"
check_contains "$out" "from file"
check_contains "$out" "CapBnd:	0000000000000000"
check_contains "$out" "CapInh:	0000000000000000"

# detached, with a pid file
check slip exec --detach --pid-file "$TMPDIR/pid" "$id" sleep 999
check_eq "" "$out$err"
child=$(cat "$TMPDIR/pid")
check_eq "sleep 999" "$(tr '\0' ' ' <"/proc/$child/cmdline" | xargs)"
check_eq "$(grep -E '^[0-9]+:pids|^0:' /proc/"$pid"/cgroup)" "$(grep -E '^[0-9]+:pids|^0:' /proc/"$child"/cgroup)" "cgroup"
check kill "$child"

# paused
if slip pause --help >/dev/null 2>&1; then
  check slip pause "$id"
  check_eq paused "$(slip state "$id" | jq -r .status)"
  check_fails 255 paused slip exec "$id" true
  check slip resume "$id"
  check slip exec "$id" true
fi
check slip delete --force "$id"
