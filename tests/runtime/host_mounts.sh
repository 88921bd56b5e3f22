#!/bin/bash
# Without a mount namespace of its own a container mounts in the caller's, whose root stays what it is.
# labels: root cgroup
# timeout: 180
. "$SOURCE/tests/lib/common.sh"
require_root

bundle=$TMPDIR/b
id=$(new_id)
make_bundle "$bundle" sh -c 'readlink /proc/self/ns/mnt; echo $(ls /); touch /tmp/x /sys/x 2>/dev/null || echo read-only'
check_fails_with() { # TEXT
  check_fails 1 "$1" slip run --bundle "$bundle" "$id"
}
count() {
  grep -c " $bundle/rootfs" /proc/self/mountinfo || true
}
root_before=$(stat -c %d:%i /)
before=$(count)

edit_config "$bundle" '.linux.namespaces |= map(select(.type != "mount"))'
check_fails_with "linux.maskedPaths: unable to restrict sys entries without a private MNT namespace"
edit_config "$bundle" '.linux.maskedPaths = []'
check_fails_with "linux.readonlyPaths: unable to restrict sys entries without a private MNT namespace"
edit_config "$bundle" '.linux.readonlyPaths = [] | .linux.rootfsPropagation = "rslave"'
check_fails_with "linux.rootfsPropagation: unable to set it without a private MNT namespace"
edit_config "$bundle" 'del(.linux.rootfsPropagation) | .root.readonly = true'
propagation=$(awk '$5 == "/" { print $7 }' /proc/self/mountinfo)
for option in "" --no-pivot; do
  check slip run $option --bundle "$bundle" "$id"
  check_eq "$(readlink /proc/self/ns/mnt)" "$(head -n 1 <<<"$out")" "mount namespace"
  check_contains "$out" "bin dev etc home proc root sys tmp usr var"
  check_contains "$out" "read-only"
  check_eq "$root_before" "$(stat -c %d:%i /)" "the caller's root"
  check_eq "$propagation" "$(awk '$5 == "/" { print $7 }' /proc/self/mountinfo)" "its propagation"
  check_eq "$before" "$(count)" "mounts that are left"
done

# exec is in the container's root, too; delete takes the mounts away.
edit_config "$bundle" '.root.readonly = false | .process.args = ["sleep", "1000"] | .hooks = {createRuntime: [{path: "/bin/sh",
    args: ["sh", "-c", "echo once >>\($log)"]}]}' --arg log "$TMPDIR/log"
check slip run --detach --bundle "$bundle" "$id"
check_eq "bin dev etc home proc root sys tmp usr var" "$(slip exec "$id" sh -c 'cd /; echo *')"
[ "$(count)" -gt "$before" ] || fail "the mounts are not the caller's"
echo '[{"destination": "/mnt", "type": "tmpfs", "source": "tmpfs"}]' >"$TMPDIR/m.json"
check_fails 1 "no root of its own" slip mounts add "$id" "$TMPDIR/m.json"
check slip delete --force "$id"
check_eq "$before" "$(count)" "mounts after delete"
check_eq once "$(cat "$TMPDIR/log")" "hook"
# By a symbolic link.
ln -s rootfs "$bundle/link"
edit_config "$bundle" '.root.path = "link" | .process.args = ["true"]'
check slip run --bundle "$bundle" "$id"
check_eq "$before" "$(count)" "mounts of a root by a link"
edit_config "$bundle" '.root.path = "rootfs"'
# Nothing stays of one that fails.
edit_config "$bundle" '.process.args = ["/nope"] | del(.hooks)'
check_fails_with "no such file or directory"
check_eq "$before" "$(count)" "mounts after a failure"
# Nor of one whose creator is killed: the next command takes it away, what someone else mounts there it does not.
for killed in shared-root someone-else; do
  edit_config "$bundle" '.process.args = ["true"] | .hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "kill -9 $PPID"]}]}'
  run slip create --bundle "$bundle" "$id"
  check_eq 137 "$status" "exit status of a creator that was killed"
  [ "$(count)" -gt "$before" ] || fail "the killed creator has left no mounts"
  [ $killed = shared-root ] || {
    umount -l "$bundle/rootfs"
    mount -t tmpfs someone "$bundle/rootfs"
  }
  check slip list --quiet
  check_eq "" "$out"
  [ $killed = shared-root ] || {
    check_eq $((before + 1)) "$(count)" "someone's mount after a killed creator"
    umount "$bundle/rootfs"
  }
  check_eq "$before" "$(count)" "mounts after a killed creator"
done
edit_config "$bundle" 'del(.hooks)'
# Without the section linux there are no namespaces at all.
edit_config "$bundle" 'del(.linux, .hostname) | .process.args = ["sh", "-c", "echo $(ls /)"]
  | .mounts |= map(select(.type != "mqueue" and .type != "sysfs" and .type != "cgroup"))'
check slip run --bundle "$bundle" "$id"
check_contains "$out" "bin dev etc"
check_eq "$root_before" "$(stat -c %d:%i /)" "the caller's root"
check_eq "$before" "$(count)"

# A mount namespace that is joined keeps its root, too.
unshare --mount sleep 1000 &
holder=$!
trap 'kill $holder; delete_containers' EXIT
wait_for 5 sh -c "[ \$(readlink /proc/$holder/ns/mnt) != $(readlink /proc/self/ns/mnt) ]"
make_bundle "$TMPDIR/j" sleep 1000
edit_config "$TMPDIR/j" '.linux.namespaces |= map(if .type == "mount" then .path = $path else . end)' --arg path "/proc/$holder/ns/mnt"
check slip run --detach --bundle "$TMPDIR/j" "$id"
check_eq "$root_before" "$(nsenter -t $holder -m stat -c %d:%i /)" "root of the joined namespace"
check_eq "bin dev etc home proc root sys tmp usr var" "$(slip exec "$id" sh -c 'cd /; echo *')"
check slip delete --force "$id"
