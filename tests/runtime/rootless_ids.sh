#!/bin/bash
# An ordinary user with a range of ids in /etc/subuid: newuidmap and newgidmap write the maps.
# labels: root
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root
require_command setpriv newuidmap newgidmap script jq

# The host's files stay as they are: these lie over them in this test's mount namespace.
user=slip$$
for file in passwd group subuid subgid; do
  cp "/etc/$file" "$TMPDIR/$file" 2>/dev/null || : >"$TMPDIR/$file"
  [ -e "/etc/$file" ] || skip "no /etc/$file"
done
echo "$user:x:4321:4321::$TMPDIR/user:/bin/sh" >>"$TMPDIR/passwd"
echo "$user:x:4321:" >>"$TMPDIR/group"
echo "$user:200000:65536" | tee -a "$TMPDIR/subuid" >>"$TMPDIR/subgid"
for file in passwd group subuid subgid; do mount --bind "$TMPDIR/$file" "/etc/$file"; done
id=$(new_id)
trap '"$SLIP" --root "$TMPDIR/user/run/slip" delete --force "$id" 2>/dev/null
  for file in passwd group subuid subgid; do umount "/etc/$file"; done' EXIT

work=$TMPDIR/user
mkdir -p "$work/run" "$work/b"
chmod 755 "$TMPDIR"
cp "$SLIP" "$work/slip"
make_rootfs "$work/b/rootfs"
chown -R 4321:4321 "$work"
as_user() {
  (cd "$work" && setpriv --reuid 4321 --regid 4321 --clear-groups env -i PATH="$PATH" HOME="$work" \
    XDG_RUNTIME_DIR="$work/run" "$@")
}
slip_as_user() {
  as_user ./slip "$@"
}
configure() { # FILTER
  edit_config "$work/b" "$@"
  chown 4321:4321 "$work/b/config.json"
}

# As `slip spec --rootless` makes it, by the user: one id, the user's own.
check slip_as_user spec --rootless --bundle b
check_eq "4321 4321" "$(jq -r '.linux | "\(.uidMappings[0].hostID) \(.gidMappings[0].hostID)"' "$work/b/config.json")"
configure '.process.terminal = false | .root.readonly = false | .process.args = ["sh", "-c", "id -u; cat /proc/self/setgroups"]'
for rootless in "" --rootless=auto --rootless=true; do
  check slip_as_user $rootless run --bundle b "$id"
  check_eq $'0\ndeny' "$out" "one id $rootless"
done
check_fails 1 "--rootless" slip_as_user --rootless=maybe list

# With a range.
map='.linux.uidMappings = [{containerID: 0, hostID: 4321, size: 1}, {containerID: 1, hostID: 200000, size: 65536}]
  | .linux.gidMappings = .linux.uidMappings'
configure "$map"' | .process.args = ["sleep", "1000"] | .process.capabilities |= with_entries(.value += ["CAP_SETUID", "CAP_SETGID", "CAP_CHOWN"])'
check slip_as_user run --detach --bundle b "$id"
pid=$(slip_as_user state "$id" | jq .pid)
check_eq "0 4321 1 1 200000 65536" "$(xargs <"/proc/$pid/uid_map")" "uid_map"
check_eq "0 4321 1 1 200000 65536" "$(xargs <"/proc/$pid/gid_map")" "gid_map"
check_eq allow "$(cat "/proc/$pid/setgroups")"
check_eq 4321 "$(stat -c %u "/proc/$pid")" "who init is outside"

check slip_as_user exec --user 1000:1000 --additional-gids 50 "$id" sh -c 'id -u; id -G; echo >/tmp/made'
check_eq $'1000\n1000 50' "$out"
check_eq "200999 200999" "$(stat -c '%u %g' "$work/b/rootfs/tmp/made")" "owner of what user 1000 makes"
check slip_as_user exec "$id" chown 65536:65536 /tmp/made
check_eq 265535 "$(stat -c %u "$work/b/rootfs/tmp/made")"
run slip_as_user exec "$id" chown 65537 /tmp/made
[ "$status" != 0 ] || fail "an id outside of the map"
check_fails 255 "" slip_as_user exec --user 70000 "$id" true
check slip_as_user exec "$id" rm /tmp/made
# Of the two stages the first may be the slower one: what it says of the second comes first all the same.
if command -v strace >/dev/null; then
  # LeakSanitizer would trace the process, too, and there can be one only.
  check as_user env ASAN_OPTIONS=detect_leaks=0 strace -f -o /dev/null -e inject=clone3:delay_exit=200000 ./slip exec "$id" true
fi

# A terminal.
check as_user script -qec "./slip exec -t $id sh -c 'tty; ls -l /proc/self/fd/0'" /dev/null
check_contains "$out" "/dev/pts/"
# The rest of a life.
check_eq "$id" "$(slip_as_user list -q)"
check_eq "$user" "$(slip_as_user list -f json | jq -r '.[0].owner')" "owner"
check slip_as_user kill "$id" KILL
stopped() {
  [ "$(slip_as_user state "$id" | jq -r .status)" = stopped ]
}
wait_for 5 stopped
check_fails 255 "cannot exec in a stopped container" slip_as_user exec "$id" true
check slip_as_user delete "$id"
check slip_as_user create --bundle b "$id"
check slip_as_user start "$id"
check slip_as_user delete --force "$id"
check_eq "" "$(slip_as_user list -q)"

# What the user may not have.
configure '.linux.uidMappings[1].hostID = 300000'
run slip_as_user run --bundle b "$id"  # newuidmap says something, too
check_eq 1 "$status"
check_contains "$err" "refused the map of the user namespace (see /etc/subuid and /etc/subgid)"
# Without maps, and without a user namespace at all, these are made.
configure 'del(.linux.uidMappings, .linux.gidMappings) | .process.args = ["cat", "/proc/self/uid_map", "/proc/self/gid_map"]'
for _ in 1 2; do
  check slip_as_user run --bundle b "$id"
  check_eq "0 4321 1 1 200000 65536 0 4321 1 1 200000 65536" "$(xargs <<<"$out")" "maps without being asked"
  configure '.linux.namespaces |= map(select(.type != "user"))'
done

# An agent for seccomp notifications, which gets the listener from the process itself: its user may not fetch it.
agent=$BUILD/tests/lib/notify_agent
if [ -x "$agent" ]; then
  setpriv --reuid 4321 --regid 4321 --clear-groups "$agent" "$work/run/agent.sock" "$work/run/got" &
  agent_pid=$!
  trap 'kill $agent_pid; for file in passwd group subuid subgid; do umount "/etc/$file"; done' EXIT
  wait_for 5 test -S "$work/run/agent.sock"
  configure '.linux.namespaces += [{type: "user"}] | '"$map"' | .process.args = ["sh", "-c", "mkdir /tmp/x; exit 7"]
    | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $path,
        syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]}' --arg path "$work/run/agent.sock"
  for nnp in true false; do
    configure ".process.noNewPrivileges = $nnp"
    run slip_as_user run --bundle b "$id"
    check_eq 7 "$status" "with an agent ($nnp)"
    check_contains "$err" "No medium found"
  done
fi
