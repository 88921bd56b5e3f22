#!/bin/bash
# A time namespace of the container's own, with offsets; before 6.3 execve(2) does not enter it.
# labels: root cgroup
# timeout: 180
. "$SOURCE/tests/lib/common.sh"
require_root
[ -e /proc/self/ns/time ] || skip "no time namespaces in this kernel"

bundle=$TMPDIR/b
id=$(new_id)
make_bundle "$bundle" sleep 1000
edit_config "$bundle" '.linux.namespaces += [{type: "time"}]
  | .linux.timeOffsets = {monotonic: {secs: 1000, nanosecs: 5}, boottime: {secs: 8640000}}'
check slip create --bundle "$bundle" "$id"
pid=$(slip state "$id" | jq .pid)
own=$(readlink /proc/self/ns/time)
[ "$(readlink "/proc/$pid/ns/time")" != "$own" ] || fail "init is not in the time namespace before it has executed"
check_eq "$(readlink "/proc/$pid/ns/time_for_children")" "$(readlink "/proc/$pid/ns/time")"
check slip start "$id"
check_eq "monotonic 1000 5 boottime 8640000 0" "$(xargs <"/proc/$pid/timens_offsets")" "offsets"
for run in 1 2; do
  up=$(slip exec "$id" cut -d. -f1 /proc/uptime)
  [ "$up" -ge 8640000 ] || fail "uptime in the container: $up"
done
check_eq "$(readlink "/proc/$pid/ns/time")" "$(slip exec "$id" readlink /proc/self/ns/time)" "namespace of exec"
check slip delete --force "$id"

# crun's annotation for the offsets.
edit_config "$bundle" 'del(.linux.timeOffsets) | .process.args = ["cut", "-d.", "-f1", "/proc/uptime"]
  | .annotations = {"run.oci.timens_offset": "7 7000000 0"}'
check slip run --bundle "$bundle" "$id"
[ "$out" -ge 7000000 ] || fail "uptime with run.oci.timens_offset: $out"
edit_config "$bundle" '.annotations = {"run.oci.timens_offset": "boottime 5"}'
check_fails 1 'run.oci.timens_offset: "boottime 5" is not of the form' slip run --bundle "$bundle" "$id"
edit_config "$bundle" 'del(.annotations)'

# Joined by its path. (Before 6.3 only the children of what `unshare` executes are in it.)
unshare --time --boottime 7000000 sleep 1000 &
holder=$!
trap 'kill $holder; delete_containers' EXIT
wait_for 5 sh -c "[ \$(readlink /proc/$holder/ns/time_for_children) != '$own' ]"
edit_config "$bundle" 'del(.linux.timeOffsets) | .process.args = ["cut", "-d.", "-f1", "/proc/uptime"]
  | .linux.namespaces |= map(if .type == "time" then .path = $path else . end)' --arg path "/proc/$holder/ns/time_for_children"
check slip run --bundle "$bundle" "$id"
[ "$out" -ge 7000000 ] || fail "uptime in a joined namespace: $out"
