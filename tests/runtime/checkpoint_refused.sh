#!/bin/bash
# What checkpoint and restore refuse, and that nothing is lost by it. No criu is needed: programs stand in for it.
# labels: root cgroup
# timeout: 60
. "$SOURCE/tests/lib/common.sh"
require_root
require_command jq python3
bundle=$TMPDIR/b
make_bundle "$bundle" sleep 1000
id=$(new_id)
images=$TMPDIR/images
# stand_in ANSWERS: a criu that answers with these, in Python, instead of the version 3.17 and no more.
stand_in() {
  cat >"$TMPDIR/criu" <<PROGRAM
#!$(command -v python3)
import os, socket, sys
service = socket.socket(fileno=int(sys.argv[2]))
assert sys.argv[1] == 'swrk' and os.readlink('/proc/self/fd/0') == '/dev/null'
def field(number, value):
    if isinstance(value, int): return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value
def answer(*fields):
    service.recv(65536)
    service.send(b''.join(fields))
def version(major, minor): answer(field(1, 10), field(2, 1), field(10, field(1, major) + field(2, minor)))
$1
PROGRAM
  chmod 755 "$TMPDIR/criu"
}
save() { # OPTION...
  slip --criu "$TMPDIR/criu" checkpoint --image-path "$images" "$@" "$id"
}
load() { # OPTION...
  slip --criu "$TMPDIR/criu" restore --detach --bundle "$bundle" --image-path "$images" "$@" "$id" </dev/null
}
# The container runs, and nobody froze it.
runs() { check_eq running "$(slip state "$id" | jq -r .status)"; }
# Nothing is left of a container that could not be restored.
nothing() {
  check_eq "" "$(slip list -q)"
  [ -z "$(find /sys/fs/cgroup -name "*$id*")" ] || fail "a cgroup is left"
  [ -z "$(ls "$TMPDIR/slip-run/.pending")" ] || fail "a record is left"
}

echo "# the state of the container"
check_fails 1 "container \`$id\` does not exist" save
check slip create --bundle "$bundle" "$id" </dev/null
check_fails 1 "cannot checkpoint a container that is not running: created" save
check slip delete --force "$id"
check slip run --detach --bundle "$bundle" "$id" </dev/null
check slip kill "$id" KILL
stopped() { [ "$(slip state "$id" | jq -r .status)" = stopped ]; }
wait_for 10 stopped
check_fails 1 "cannot checkpoint a container that is not running: stopped" save
check slip delete "$id"

echo "# options"
check slip run --detach --bundle "$bundle" "$id" </dev/null
check_fails 1 "manage-cgroups-mode value \`hard\`" save --manage-cgroups-mode hard
check_fails 1 "empty-ns: namespace \`uts\`" save --empty-ns uts
check_fails 1 "network-lock value \`none\`" save --network-lock none
for address in 127.0.0.1 127.0.0.1: :1 127.0.0.1:x 127.0.0.1:65536; do
  check_fails 1 "page-server value \`$address\`" save --page-server "$address"
done
check_fails 1 "descriptor 77 is not open" save --status-fd 77
check_fails 1 "must be relative" save --parent-path /parent
check_fails 1 "parent \`$images/../parent\`" save --parent-path ../parent
run save --no-such-option
[ "$status" = 1 ] || fail "an unknown option is accepted"
# podman asks so whether there is the option.
run slip restore --lsm-mount-context
check_contains "$err" "needs an argument"
check slip checkpoint --help
check_contains "$out" "--leave-running"
check slip restore --help
runs

echo "# no criu, one that does not answer, one that is too old, one that dies or fails"
check_fails 1 "\`$TMPDIR/criu\`, which checkpoints and restores, is not installed" save
enabled() { slip --criu "$TMPDIR/criu" features | jq -r '.annotations["org.opencontainers.runc.checkpoint.enabled"]'; }
check_eq false "$(enabled)"
printf '#!/bin/sh\n' >"$TMPDIR/criu"
chmod 755 "$TMPDIR/criu"
check_eq true "$(enabled)"
check_fails 1 "\`$TMPDIR/criu\` does not answer" save
stand_in 'version(3, 16)'
check_fails 1 "\`$TMPDIR/criu\` is criu 3.16.0: 3.17 or a later one is needed" save
stand_in 'version(3, 17)'
check_fails 1 "criu failed: it does not say why (log file: $images/dump.log)" save
stand_in 'version(3, 17); service.recv(65536)
print("(00.1) Error (criu/a.c:1): first: of many\n(00.2) Error (criu/a.c:2): second\n(00.2) nothing\n" +
  "(00.3)  12: Error (criu/a.c:3): third\n(00.4) Error (criu/a.c:4): fourth\n(00.5) Error (criu/a.c:5): Dumping FAILED.",
  file=open("'"$images"'/dump.log", "w"))
service.send(field(1, 1) + field(2, 0))'
check_fails 1 "criu failed: second; third; fourth (log file: $images/dump.log)" save
runs
# One that was killed leaves the processes frozen.
freezer=$(slip state "$id" >/dev/null && jq -r '.cgroup_paths | .freezer // .[""]' "$TMPDIR/slip-run/$id/state.json")
freeze='version(3, 17); service.recv(65536)
freezer = "'"$freezer"'"
if os.path.exists(freezer + "/freezer.state"): open(freezer + "/freezer.state", "w").write("FROZEN")
else: open(freezer + "/cgroup.freeze", "w").write("1")
'
stand_in "${freeze}os.kill(os.getpid(), 9)"
check_fails 1 "criu failed" save
runs
# It was frozen before: so it stays.
check slip pause "$id"
check_fails 1 "criu failed" save
check_eq paused "$(slip state "$id" | jq -r .status)"
check slip resume "$id"
# Killed with its caller: nobody is left to thaw them but the user.
stand_in "${freeze}os.kill(os.getppid(), 9); os.kill(os.getpid(), 9)"
run save
check_eq "137 paused" "$status $(slip state "$id" | jq -r .status)"
check slip resume "$id"
runs
run save
check_eq "137 paused" "$status $(slip state "$id" | jq -r .status)"
check slip delete --force "$id"
check_eq "" "$(slip list -q)"
check slip run --detach --bundle "$bundle" "$id" </dev/null

echo "# what criu would lose, or cannot give back"
check_fails 1 "container with given ID already exists" load
check slip delete --force "$id"
mkdir "$TMPDIR/volume"
cp "$bundle/config.json" "$TMPDIR/good.json"
stand_in 'version(3, 17)'
refused() { # TEXT FILTER
  cp "$TMPDIR/good.json" "$bundle/config.json"
  edit_config "$bundle" "$2"
  check slip run --detach --bundle "$bundle" "$id" </dev/null
  check_fails 1 "$1" save
  runs
  check slip delete --force "$id"
}
refused "without a mount namespace of its own" \
  '.linux.namespaces |= map(select(.type != "mount")) | del(.linux.maskedPaths, .linux.readonlyPaths)'
refused "a cgroup namespace that is joined by its path" \
  '.linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup", path: "/proc/self/ns/cgroup"}]'
cp "$TMPDIR/good.json" "$bundle/config.json"
edit_config "$bundle" ".mounts += [{destination: \"/v\", type: \"bind\", source: \"$TMPDIR/volume\", options: [\"bind\"],
  uidMappings: [{containerID: 0, hostID: 1000, size: 1}], gidMappings: [{containerID: 0, hostID: 1000, size: 1}]}]"
run slip run --detach --bundle "$bundle" "$id" </dev/null
if [ "$status" = 0 ]; then
  check_fails 1 "the idmapped mount on \`/v\`" save
  check slip delete --force "$id"
fi
cp "$TMPDIR/good.json" "$bundle/config.json"

echo "# restore: nothing is left"
rm -rf "$images"
check_fails 1 "images: open \`$images\`: No such file or directory" load
mkdir "$images"
echo '{' >"$images/descriptors.json"
check_fails 1 "descriptors.json" load
rm "$images/descriptors.json"
echo '[]' >"$images/mounts.json"
check_fails 1 "mounts.json" load
rm "$images/mounts.json"
nothing
check_fails 1 "criu failed: it does not say why (log file: $images/restore.log)" load
nothing

echo "# a hook that fails ends the restore; the poststop hooks come in any case"
edit_config "$bundle" ".hooks = {createRuntime: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"cat >$TMPDIR/created; exit 3\"]}],
  poststop: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"cat >$TMPDIR/gone\"]}]}"
stand_in 'version(3, 17); service.recv(65536)
service.send(field(1, 6) + field(2, 1) + field(5, field(1, b"setup-namespaces") + field(2, 1)))
assert b"\x18\x00" in service.recv(65536)
service.send(field(1, 2) + field(2, 0))'
check_fails 1 "error running createRuntime hook" load
nothing
check_eq "$id" "$(jq -r .id "$TMPDIR/created")"
check_eq creating "$(jq -r .status "$TMPDIR/created")"
check_eq stopped "$(jq -r .status "$TMPDIR/gone")"
