#!/bin/bash
# pause, resume, ps, events, kill --all: the verbs that work on a container's cgroup.
# labels: root cgroup
. "$SOURCE/tests/lib/common.sh"
require_root
require_command jq
require_cgroup freezer || require_cgroup cpu

id=$(new_id)
bundle=$TMPDIR/b
make_bundle "$bundle" /bin/sh -c 'sleep 1001 & sleep 1002 & wait'
edit_config "$bundle" '.linux.cgroupsPath = $path' --arg path "/$id"
trap 'slip delete --force "$id" >/dev/null 2>&1 || true' EXIT
check slip run -d --bundle "$bundle" --pid-file "$TMPDIR/pid" "$id"
pid=$(cat "$TMPDIR/pid")
has_three() {
  [ "$(slip ps --format json "$id" | jq length)" = 3 ]
}
wait_for 10 has_three

# ps
check slip ps -f json "$id"
check_eq true "$(jq "index($pid) != null" <<<"$out")"
if command -v ps >/dev/null; then
  check slip ps "$id"
  check_contains "$out" "PID"
  check_contains "$out" "sleep 1001"
  check_eq 4 "$(wc -l <<<"$out")"
  check slip ps "$id" -e -o pid,comm
  check_eq 4 "$(wc -l <<<"$out")"
fi
check_fails 1 "format" slip ps -f xml "$id"

# pause: frozen when it returns
check slip pause "$id"
check_eq "" "$out$err"
check_eq paused "$(slip state "$id" | jq -r .status)"
for one in $(slip ps -f json "$id" | jq '.[]'); do
  case $(awk '{ print $3 }' "/proc/$one/stat") in D | S | T) ;; *) fail "process $one is not stopped" ;; esac
done
check_fails 1 "paused" slip pause "$id"
check_fails 255 "paused" slip exec "$id" /bin/true
check slip resume "$id"
check_eq running "$(slip state "$id" | jq -r .status)"
check_fails 1 "not paused" slip resume "$id"

# events: one line of statistics
check slip events --stats "$id"
check_eq 1 "$(wc -l <<<"$out")"
check_eq "stats $id 3" "$(jq -r '"\(.type) \(.id) \(.data.pids.current)"' <<<"$out")"
check_eq true "$(jq '.data.memory.usage | has("limit") and has("failcnt") and .usage > 0' <<<"$out")"
check_eq true "$(jq '.data.cpu.usage | has("kernel") and has("user") and .total > 0' <<<"$out")"
# ... and until the container ends
slip events --interval 200ms "$id" >"$TMPDIR/events" &
watcher=$!
two_lines() {
  [ "$(wc -l <"$TMPDIR/events")" -ge 2 ]
}
wait_for 10 two_lines

# What update does not know, it says.
echo '{"pids": {"limit": 90}, "memory": {"useHierarchy": false}, "bogus": 1}' >"$TMPDIR/update.json"
check slip update --resources "$TMPDIR/update.json" "$id"
check_contains "$err" "warning: bogus: unknown property, ignored"
check_contains "$err" "useHierarchy: limits hold for cgroups below in any case, ignored"

# kill --all reaches a paused container
check slip pause "$id"
check slip kill --all "$id" KILL
gone() {
  [ "$(slip state "$id" | jq -r .status)" = stopped ]
}
wait_for 10 gone
wait "$watcher"
check_fails 1 "not running" slip events --stats "$id"
check_fails 1 "" slip pause "$id"
check slip delete "$id"

# An OOM kill is told.
edit_config "$bundle" '.process.args = ["/bin/sh", "-c", "sleep 2; x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done"]
  | .linux.resources.memory = {limit: 33554432}'
check slip run -d --bundle "$bundle" "$id"
timeout 30 "$SLIP" --root "$TMPDIR/slip-run" events --interval 1m "$id" >"$TMPDIR/oom"
check_contains "$(cat "$TMPDIR/oom")" "{\"type\":\"oom\",\"id\":\"$id\"}"
check slip delete --force "$id"
[ -z "$(find /sys/fs/cgroup -maxdepth 3 -name "$id*")" ] || fail "a cgroup is left"
