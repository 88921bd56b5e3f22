#!/bin/bash
# Further processes in a container.
# labels: root cgroup
# timeout: 240
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
# A number says nothing of groups: they are the container's. A name has its own.
groups_of() { # USER
  slip exec --user "$1" "$id" sh -c 'echo $(id -u) $(id -g) $(sed -n "s/^Groups://p" /proc/self/status)'
}
check_eq "1000 0" "$(groups_of 1000)"
check_eq "1000 0" "$(groups_of 1000:)"
check_eq "1000 1000 50" "$(groups_of user)"
check_eq "1000 50" "$(groups_of user:staff)"
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

# --cgroup: below the container's own
check_fails 1 "missing <controller>: prefix" slip exec --cgroup a --cgroup pids:b "$id" true
check_fails 1 "empty <controller> prefix" slip exec --cgroup :a "$id" true
check_fails 1 "multiple paths for pids" slip exec --cgroup pids:a --cgroup pids,cpu:b "$id" true
check_fails 1 "invalid --cgroup argument: a:b:c" slip exec --cgroup a:b:c "$id" true
check_fails 255 "is not a sub cgroup path" slip exec --cgroup ../x "$id" true
check_fails 255 "No such file or directory" slip exec --cgroup none "$id" true
check_fails 255 "unknown controller \`nothing\`" slip exec --cgroup nothing:a "$id" true
own=$(jq -r '.cgroup_paths | to_entries[] | "\(.key) \(.value)"' "$TMPDIR/slip-run/$id/state.json")
while read -r line; do
  for sub in "${line#* }/sub" "${line#* }/sub2"; do
    mkdir -p "$sub"
    [ ! -e "$sub/cpuset.cpu_exclusive" ] || for file in cpus mems; do cat "${line#* }/cpuset.$file" >"$sub/cpuset.$file"; done
  done
done <<<"$own"
where() { # CONTROLLER of the process in the pid file
  awk -F: -v want="$1" '{ n = split($2, c, ","); if (want == "" && $2 == "") print $3; for (i = 1; i <= n; i++) if (c[i] == want) print $3 }' \
    "/proc/$(cat "$TMPDIR/pid")/cgroup"
}
exec_where() { # EXPECTED-SUFFIX CONTROLLER OPTION...
  local suffix=$1 controller=$2
  shift 2
  check slip exec --detach --pid-file "$TMPDIR/pid" "$@" "$id" sleep 998
  check_contains "$(where "$controller")%" "$suffix%" "cgroup of $controller with $*"
  check kill "$(cat "$TMPDIR/pid")"
}
two=$(jq -r '.cgroup_paths[""] // empty' "$TMPDIR/slip-run/$id/state.json")
if [ -n "$two" ]; then
  exec_where "$id/sub" "" --cgroup sub
  exec_where "$id/sub" "" --cgroup /sub/
  exec_where "$id" "" --cgroup /
fi
if jq -e '.cgroup_paths.pids' "$TMPDIR/slip-run/$id/state.json" >/dev/null; then
  exec_where "$id/sub" pids --cgroup sub
  exec_where "$id/sub" pids --cgroup pids,cpu:sub --cgroup memory:sub2
  exec_where "$id/sub" cpu --cgroup pids,cpu:sub --cgroup memory:sub2
  exec_where "$id/sub2" memory --cgroup pids,cpu:sub --cgroup memory:sub2
  exec_where "$id" freezer --cgroup pids,cpu:sub --cgroup memory:sub2
fi

# paused
if slip pause --help >/dev/null 2>&1; then
  check slip pause "$id"
  check_eq paused "$(slip state "$id" | jq -r .status)"
  check_fails 255 paused slip exec "$id" true
  check slip resume "$id"
  check slip exec "$id" true
fi
check slip delete --force "$id"
