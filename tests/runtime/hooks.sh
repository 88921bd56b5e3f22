#!/bin/bash
# Hooks: all six kinds, in order, with the state on their standard input.
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root

bundle=$TMPDIR/b
make_bundle "$bundle" true
id=$(new_id)
log=$TMPDIR/log
cat >"$TMPDIR/hook" <<X
#!/bin/sh
read -r state
echo "\$1 \$(readlink /proc/self/ns/mnt) \$(readlink /proc/self/ns/net) \$state" >>$log
ls /proc/self/fd | wc -l >>$TMPDIR/fds
X
chmod 755 "$TMPDIR/hook"
printf '#!/bin/sh\nread -r s; echo "startContainer x y $s" >/tmp/started\n' >"$bundle/rootfs/hook"
chmod 755 "$bundle/rootfs/hook"
edit_config "$bundle" '.hooks = {
    prestart: [{path: $h, args: ["h", "prestart"]}], createRuntime: [{path: $h, args: ["h", "createRuntime"]}],
    createContainer: [{path: $h, args: ["h", "createContainer"]}], startContainer: [{path: "/hook"}],
    poststart: [{path: $h, args: ["h", "poststart"]}], poststop: [{path: $h, args: ["h", "poststop"]}]}
  | .annotations = {key: "value"}' --arg h "$TMPDIR/hook"

check slip create --bundle "$bundle" "$id"
pid=$(slip state "$id" | jq .pid)
check_eq "prestart createRuntime createContainer" "$(cut -d' ' -f1 "$log" | xargs)"
check slip start "$id"
check_eq "prestart createRuntime createContainer poststart" "$(cut -d' ' -f1 "$log" | xargs)"
wait_for 5 test -s "$bundle/rootfs/tmp/started"
wait_for 5 sh -c "[ $(printf '%q' "$SLIP") ] && '$SLIP' --root '$TMPDIR/slip-run' state $id | grep -q stopped"
check slip delete "$id"
check_eq "prestart createRuntime createContainer poststart poststop" "$(cut -d' ' -f1 "$log" | xargs)"

check_eq 5 "$(cut -d' ' -f4- "$log" | jq -r "select(.id == \"$id\" and .bundle == \"$bundle\" and .annotations.key == \"value\") | .id" | wc -l)" \
  "states on stdin"
check_eq "creating creating creating running stopped" "$(cut -d' ' -f4- "$log" | jq -r .status | xargs)"
check_eq "$pid $pid $pid $pid 0" "$(cut -d' ' -f4- "$log" | jq -r .pid | xargs)"
own=$(readlink /proc/self/ns/mnt)
check_eq "$own $own" "$(sed -n '1,2p' "$log" | cut -d' ' -f2 | xargs)" "mount namespace of prestart and createRuntime"
[ "$(sed -n 3p "$log" | cut -d' ' -f2)" != "$own" ] || fail "createContainer ran in the host's mount namespace"
check_eq 4 "$(sort -u "$TMPDIR/fds" | xargs)" "descriptors of hooks (0, 1, 2 and that of ls)"

# A hook that fails, hangs or does not exist fails the container, and nothing is left.
check_broken() { # KIND TEXT
  rm -f "$log"
  run slip run --bundle "$bundle" "$id"
  [ "$status" = 1 ] || { show; fail "$1: exit status $status"; }
  check_contains "$err" "$2" "$1"
  check_eq "" "$(slip list -q)"
}
for kind in prestart createRuntime createContainer poststart; do
  edit_config "$bundle" '.hooks = {($kind): [{path: "/bin/sh", args: ["sh", "-c", "echo the reason >&2; exit 3"]}],
      poststop: [{path: $h, args: ["h", "poststop"]}]}' --arg kind $kind --arg h "$TMPDIR/hook"
  check_broken $kind "error running $kind hook \`/bin/sh\`: exit status 3: the reason"
  check_eq poststop "$(cut -d' ' -f1 "$log" 2>/dev/null)" "poststop after a failed $kind"
  edit_config "$bundle" '.hooks = {($kind): [{path: "/bin/sleep", args: ["sleep", "100"], timeout: 1}]}' --arg kind $kind
  check_broken $kind "timed out"
  edit_config "$bundle" '.hooks = {($kind): [{path: "/no/such"}]}' --arg kind $kind
  check_broken $kind "No such file or directory"
done
# Those of poststop are too late to matter.
edit_config "$bundle" '.hooks = {poststop: [{path: "/bin/false"}]}'
check slip run --bundle "$bundle" "$id"

# A hook may ask the runtime about its container.
slip_here="$SLIP --root $TMPDIR/slip-run"
edit_config "$bundle" '.process.args = ["sleep", "100"] | .hooks = {
    prestart: [{path: "/bin/sh", args: ["sh", "-c", $c], env: [$path]}],
    createRuntime: [{path: "/bin/sh", args: ["sh", "-c", $c], env: [$path]}],
    poststart: [{path: "/bin/sh", args: ["sh", "-c", $c], env: [$path]}]}' --arg path "PATH=$PATH" \
  --arg c "read -r state; $slip_here state $id >>$log.state; $slip_here list -q >>$log.list
    $slip_here exec $id true 2>>$log.exec; $slip_here start $id 2>>$log.start; $slip_here delete $id 2>>$log.delete; exit 0"
check slip create --bundle "$bundle" "$id"
check slip start "$id"
check_eq "creating creating running" "$(jq -r .status "$log.state" | xargs)" "status that hooks see"
check_eq "$(slip state "$id" | jq -r '"\(.pid) \(.bundle) value"')" \
  "$(jq -r '"\(.pid) \(.bundle) \(.annotations.key)"' "$log.state" | sort -u)" "state that hooks see"
check_eq "$id $id $id" "$(xargs <"$log.list")"
check_eq 2 "$(grep -c 'cannot exec in a container that is being created' "$log.exec")"
check_eq 2 "$(grep -c 'cannot start a container that is being created' "$log.start")"
check_eq 2 "$(grep -c 'that is not stopped: creating' "$log.delete")"
check slip delete --force "$id"
# What is being created can be ended by force, and by the death of its creator, which is that of the hook, too.
edit_config "$bundle" '.hooks = {createRuntime: [{path: "/bin/sleep", args: ["sleep", "3"]}]}'
being_created() {
  [ "$(slip state "$id" | jq -r .status)" = creating ]
}
slip create --bundle "$bundle" "$id" 2>"$TMPDIR/creator" &
creator=$!
wait_for 5 being_created
check slip delete --force "$id"
run wait "$creator"
check_eq 1 "$status" "creator of a deleted container"
check_eq "" "$(slip list -q)"
edit_config "$bundle" '.process.args = ["true"] | .hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", $c]}]}' \
  --arg c "echo \$\$ >$TMPDIR/hook-pid; exec sleep 30"
"$SLIP" --root "$TMPDIR/slip-run" create --bundle "$bundle" "$id" &
creator=$!
wait_for 5 test -s "$TMPDIR/hook-pid"
kill -KILL "$creator"
run wait "$creator"
wait_for 5 test ! -d "/proc/$(cat "$TMPDIR/hook-pid")"
wait_for 5 sh -c "[ -z \"\$($slip_here list -q)\" ]"
check_eq "" "$(ls "$TMPDIR/slip-run/.pending")"

# env: absent is the runtime's, empty is empty; in the container, absent is the container's
edit_config "$bundle" '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", $c]},
    {path: "/bin/sh", args: ["sh", "-c", $c], env: []}, {path: "/bin/sh", args: ["sh", "-c", $c], env: ["PROBE=own"]}]}' \
  --arg c "echo \"[\$PROBE]\" >>$log"
rm -f "$log"
PROBE=host check slip run --bundle "$bundle" "$id"
check_eq "[host] [] [own]" "$(xargs <"$log")"
edit_config "$bundle" '.process.env = ["PATH=/bin", "PROBE=container"] | .hooks = {startContainer: [
    {path: "/bin/env"}, {path: "/bin/env", env: []}, {path: "/bin/false"}]} | .annotations["run.oci.hooks.stdout"] = "/tmp/env"'
PROBE=host check_fails 1 "startContainer hook" slip run --bundle "$bundle" "$id"
check_eq "HOME=/root PATH=/bin PROBE=container" "$(sort "$bundle/rootfs/tmp/env" | xargs)"
