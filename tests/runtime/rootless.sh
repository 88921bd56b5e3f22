#!/bin/bash
# As an ordinary user: no rights over cgroups, a user namespace with the user's own id in it.
# labels: root
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root
require_command setpriv

work=$TMPDIR/user
mkdir -p "$work/run"
cp "$SLIP" "$work/slip"
make_rootfs "$work/b/rootfs"
"$SLIP" spec --rootless --bundle "$work/b"
edit_config "$work/b" '.process.terminal = false | .process.args = ["sleep", "1000"] | .root.readonly = false
  | .linux.uidMappings[0].hostID = 4321 | .linux.gidMappings[0].hostID = 4321'
chown -R 4321:4321 "$work"
id=$(new_id)
as_user() {
  (cd "$work" && setpriv --reuid 4321 --regid 4321 --clear-groups env -i PATH="$PATH" HOME="$work" \
    XDG_RUNTIME_DIR="$work/run" ./slip "$@")
}

check as_user create --bundle b "$id"
check_eq created "$(as_user state "$id" | jq -r .status)"
check as_user start "$id"
check as_user exec "$id" sh -c 'id -u; cat /proc/self/uid_map /proc/self/setgroups; echo made >/tmp/made; ps | grep -c sleep'
check_contains "$out" $'0\n'
check_contains "$out" "4321"
check_contains "$out" "deny"
check_eq 4321 "$(stat -c %u "$work/b/rootfs/tmp/made")" "owner of what the container makes"
check_eq 700 "$(stat -c %a "$work/run/slip" | tail -c4)" "mode of the state directory"
check_eq "$id" "$(as_user list -q)"
check as_user kill "$id" KILL
wait_for 5 sh -c "! kill -0 $(as_user state "$id" | jq .pid | sed 's/^0$/999999999/') 2>/dev/null"
check as_user delete --force "$id"
edit_config "$work/b" '.process.args = ["sh", "-c", "exit 3"]'
chown -R 4321:4321 "$work/b"
run as_user run --bundle b "$id"
check_eq 3 "$status"
# Limits that cannot be set are an error, not a silence.
edit_config "$work/b" '.linux.resources.memory.limit = 100000000'
chown -R 4321:4321 "$work/b"
run as_user run --bundle b "$id"
[ "$status" = 1 ] || { show; fail "a limit was dropped silently"; }
# The ids of others cannot be mapped without newuidmap.
edit_config "$work/b" 'del(.linux.resources) | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]'
chown -R 4321:4321 "$work/b"
run as_user run --bundle b "$id"
[ "$status" = 1 ] || { show; fail "root's id was mapped"; }
# Root's own configuration: a user namespace with the user in it is made without being asked for.
"$SLIP" spec --file root.json --bundle "$work/b"
jq '.process.terminal = false | .process.args = ["sh", "-c", "id -u; cat /proc/self/uid_map"]' "$work/b/root.json" >"$work/b/config.json"
chown -R 4321:4321 "$work/b"
check as_user run --bundle b "$id"
check_eq "0 0 4321 1" "$(xargs <<<"$out")" "maps without being asked"
