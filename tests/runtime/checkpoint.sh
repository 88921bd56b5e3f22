#!/bin/bash
# Containers go to files and come back from them, by criu (CRIU: another than that in PATH).
# labels: criu
# timeout: 180
. "$SOURCE/tests/lib/common.sh"
require_root
criu=${CRIU:-criu}
require_command jq python3 "$criu"
why=$("$criu" check 2>&1) || skip "criu does not work on this kernel: $(grep -m1 -o 'Error.*' <<<"$why")"

unified_options() { sed -n 's/.* - cgroup2 [^ ]* //p' /proc/self/mountinfo | head -n 1; }
options=$(unified_options)
bundle=$TMPDIR/b
count=$bundle/rootfs/tmp/count
make_bundle "$bundle" sh -c 'i=0; while :; do i=$((i + 1)); echo $i >>/tmp/count; sleep 0.1; done'
cp "$bundle/config.json" "$TMPDIR/good.json"
id=$(new_id)
images=$TMPDIR/images
# with FILTER: the default configuration and this.
with() {
  cp "$TMPDIR/good.json" "$bundle/config.json"
  edit_config "$bundle" "$@"
}
start() { check slip run --detach --bundle "$bundle" "$id" </dev/null; }
save() { check slip --criu "$criu" checkpoint --image-path "$images" "$@" "$id"; }
load() { check slip --criu "$criu" restore --detach --bundle "$bundle" --image-path "$images" "$@" </dev/null; }
# The counter goes on from where it was: its number is in the memory of a process.
last() { tail -n 1 "$count"; }
counts() { [ -s "$count" ] && [ "$(last)" -gt "$1" ]; }
goes_on() { # LAST NUMBER
  local first
  rm -f "$count"
  wait_for 20 counts 0
  first=$(head -n 1 "$count")
  [ "$first" -gt "$1" ] && [ "$first" -lt $(($1 + 1000)) ] || fail "it counted from $first, not from $1"
}
status_is() { [ "$(slip state "$1" 2>/dev/null | jq -r .status)" = "$2" ]; }
over() {
  check slip delete --force "$id"
  rm -rf "$images"
}
no_criu() {
  ! pgrep -f "criu swrk" >/dev/null
}

echo "# a container goes and comes back: its memory, its record, its process ID, exec, kill, delete"
hook() { echo "[{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"jq -r .status >>$TMPDIR/hook-$1\"]}]"; }
look() { # all of its mounts, and its rights
  slip exec "$id" sh -c 'sed -E "s/^[0-9]+ [0-9]+ [0-9:]+ (.*) - ([a-z0-9]+) .*/\1 \2/; s/ (master|shared):[0-9]+//" /proc/self/mountinfo | sort
    grep -E "^(Cap|NoNewPrivs|Seccomp|Groups)" /proc/1/status; readlink /proc/1/fd/0'
}
with ".hostname = \"box\" | .hooks = {prestart: $(hook 1), createRuntime: $(hook 2), createContainer: $(hook 3), poststart: $(hook 4), poststop: $(hook 5)} |
  .linux.resources += {pids: {limit: 77}} | .process.rlimits = [{type: \"RLIMIT_NOFILE\", hard: 99, soft: 98}] |
  .root.readonly = true | .linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [{names: [\"mkdir\", \"mkdirat\"], action: \"SCMP_ACT_ERRNO\"}]} |
  .annotations = {key: \"value\"} | .mounts += [{destination: \"/tmp\", type: \"bind\", source: \"$bundle/rootfs/tmp\", options: [\"bind\", \"rw\"]},
    {destination: \"/scratch\", type: \"tmpfs\", source: \"tmpfs\", options: [\"size=1m\"]}]"
mkdir "$bundle/rootfs/scratch"
start
check slip exec "$id" sh -c 'echo kept >/scratch/file'
wait_for 20 counts 2
before=$(look)
save
check_eq "" "$(slip list -q)"
[ ! -e "$TMPDIR/slip-run/$id" ] || fail "the record is left"
[ -z "$(find /sys/fs/cgroup -name "*$id*")" ] || fail "the cgroup is left"
number=$(last)
check_eq "creating creating creating running stopped" "$(cat "$TMPDIR"/hook-? | xargs)"
rm "$TMPDIR"/hook-?
rm -f "$count"
load --pid-file "$TMPDIR/pid" "$id"
pid=$(cat "$TMPDIR/pid")
check_eq "$pid" "$(slip state "$id" | jq .pid)"
check_eq "running value" "$(slip state "$id" | jq -r '.status + " " + .annotations.key')"
goes_on "$number"
check_eq "creating creating" "$(cat "$TMPDIR"/hook-? | xargs)" "hooks of a restore"
after=$(look)
check_eq "" "$(diff <(echo "$before") <(echo "$after") || true)" "mounts and rights before (<) and after (>)"
check slip exec "$id" sh -c 'cat /scratch/file; hostname; grep files /proc/1/limits'
check_eq "kept box Max open files 98 99 files" "$(xargs <<<"$out")"
check_fails 1 "" slip exec "$id" mkdir /scratch/d
check_contains "$(cat "/proc/$pid/cgroup")" "$id"
check_eq 77 "$(slip events --stats "$id" | jq .data.pids.limit)" "the limit after the restore"
check slip pause "$id"
status_is "$id" paused || fail "it cannot be paused"
check slip resume "$id"
check slip kill "$id" KILL
wait_for 20 status_is "$id" stopped
check slip delete "$id"
check_contains "$(cat "$TMPDIR/hook-5")" stopped
rm -rf "$images"
rm -f "$TMPDIR"/hook-?

echo "# it runs on; a copy of it under another name; criu's files in another directory"
with .
start
wait_for 20 counts 1
save --leave-running --work-path "$TMPDIR/work"
status_is "$id" running || fail "it does not run on"
[ -e "$TMPDIR/work/dump.log" ] && [ ! -e "$images/dump.log" ] || fail "the log is elsewhere"
number=$(last)
goes_on "$number"
copy=$(new_id copy)
load "$copy"
status_is "$copy" running && status_is "$id" running || fail "the two do not run at once"
check_contains "$(cat "/proc/$(slip state "$copy" | jq .pid)/cgroup")" "$copy"
check_fails 1 "container with given ID already exists" slip --criu "$criu" restore -d -b "$bundle" --image-path "$images" "$copy"
check slip delete --force "$id"
goes_on 1
check slip delete --force "$copy"

echo "# pre-dump: memory first, and then only what has changed"
if "$criu" check --feature mem_dirty_track >/dev/null 2>&1; then
  start
  wait_for 20 counts 1
  check slip --criu "$criu" checkpoint --pre-dump --image-path "$TMPDIR/first" "$id"
  status_is "$id" running || fail "it does not run on"
  save --parent-path ../first
  number=$(last)
  load "$id"
  goes_on "$number"
  over
  rm -rf "$TMPDIR/first"
else
  echo "# (not on this kernel)"
fi

echo "# binds: a directory, a file, what is mounted below, a destination behind a link"
volume=$TMPDIR/volume
mkdir -p "$volume/inner" "$bundle/rootfs/real" "$TMPDIR/other"
ln -s real "$bundle/rootfs/link"
echo one >"$volume/file"
mount -t tmpfs tmpfs "$volume/inner"
echo two >"$volume/inner/file"
with ".mounts += [{destination: \"/v\", type: \"bind\", source: \"$volume\", options: [\"rbind\", \"ro\"]},
  {destination: \"/etc/one\", type: \"bind\", source: \"$volume/file\", options: [\"bind\"]},
  {destination: \"/link/o\", type: \"bind\", source: \"$TMPDIR/other\", options: [\"bind\"]}]"
start
wait_for 20 counts 1
save
number=$(last)
echo three >"$TMPDIR/other/file"
# A new root file system may lack what they were mounted on.
rmdir "$bundle/rootfs/v" "$bundle/rootfs/real/o"
rm "$bundle/rootfs/etc/one"
load "$id"
goes_on "$number"
check slip exec "$id" sh -c 'cat /v/file /v/inner/file /etc/one /real/o/file'
check_eq "one two one three" "$(xargs <<<"$out")"
check_fails 1 "Read-only" slip exec "$id" touch /v/file
over
umount "$volume/inner"

echo "# a socket that listens, in a network namespace of its own and in one that is joined"
with '.process.args = ["sh", "-c", "echo hello >/tmp/page; exec httpd -f -p 80 -h /tmp"]'
asked() { [ "$(slip exec "$id" wget -qO- http://127.0.0.1/page)" = hello ]; }
start
wait_for 20 asked
run slip --criu "$criu" checkpoint --image-path "$images" "$id"
if [ "$status" != 0 ] && [[ $err == *"sockets: Can't get 1:"* ]]; then
  # Linux 6.16 took two options from sockets that criu 4.1 asks for.
  echo "# (not with this criu on this kernel)"
  over
else
  [ "$status" = 0 ] || { show; fail "no checkpoint"; }
  load "$id"
  wait_for 20 asked
  over
  touch "$TMPDIR/net"
  unshare --net="$TMPDIR/net" ip link set lo up
  inode=$(stat -Lc %i "$TMPDIR/net")
  edit_config "$bundle" ".linux.namespaces |= map(if .type == \"network\" then .path = \"$TMPDIR/net\" else . end)"
  start
  wait_for 20 asked
  save
  load "$id"
  wait_for 20 asked
  check_eq "$inode" "$(stat -Lc %i "/proc/$(slip state "$id" | jq .pid)/ns/net")" "network namespace"
  over
  umount "$TMPDIR/net"
fi

echo "# what it writes goes on in the caller's streams: a pipe, a file"
with '.process.args = ["sh", "-c", "i=0; while read -r line; do i=$((i + 1)); echo $i $line; done; echo end; exit 3"]'
mkfifo "$TMPDIR/in" "$TMPDIR/in2"
# The pipe from "in" ends when nobody writes to it any more.
slip run --detach --bundle "$bundle" "$id" < <(cat "$TMPDIR/in") > >(cat >"$TMPDIR/out")
exec 8>"$TMPDIR/in"
echo a >&8
wait_for 20 grep -qx "1 a" "$TMPDIR/out"
save
exec 8>&-
"$SLIP" --root "$TMPDIR/slip-run" --criu "$criu" restore --bundle "$bundle" --image-path "$images" "$id" \
  < <(cat "$TMPDIR/in2") > >(cat >"$TMPDIR/out") &
restore=$!
exec 8>"$TMPDIR/in2"
echo b >&8
wait_for 20 grep -qx "2 b" "$TMPDIR/out"
exec 8>&-
wait $restore || check_eq 3 $? "exit status"
wait_for 20 grep -qx end "$TMPDIR/out"
check_eq "" "$(slip list -q)"
rm -rf "$images"

with '.process.args = ["sh", "-c", "i=0; while :; do i=$((i + 1)); echo $i; sleep 0.1; done"]'
slip run --detach --bundle "$bundle" "$id" </dev/null >"$TMPDIR/file" 2>&1
has_lines() { [ "$(wc -l <"$TMPDIR/file")" -gt "$1" ]; }
wait_for 20 has_lines 2
save
cp "$TMPDIR/file" "$TMPDIR/file.before"
slip --criu "$criu" restore --detach --bundle "$bundle" --image-path "$images" "$id" </dev/null >>"$TMPDIR/file" 2>&1
wait_for 20 has_lines $(($(wc -l <"$TMPDIR/file.before") + 2))
lines=$(cat "$TMPDIR/file")
check_eq "$(seq "$(wc -l <<<"$lines")")" "$lines" "lines of the file"
over

echo "# in the foreground: the exit status, and nothing is left"
with '.process.args = ["sh", "-c", "until [ -e /tmp/go ]; do sleep 0.1; done; exit 7"]'
rm -f "$bundle/rootfs/tmp/go"
start
save
touch "$bundle/rootfs/tmp/go"
run slip --criu "$criu" restore --bundle "$bundle" --image-path "$images" "$id" </dev/null
check_eq 7 "$status" "exit status"
check_eq "" "$(slip list -q)"
run slip --criu "$criu" restore --keep --bundle "$bundle" --image-path "$images" "$id" </dev/null
check_eq 7 "$status" "exit status"
status_is "$id" stopped || fail "--keep does not keep it"
over

echo "# a terminal: its master goes to the console socket of the restore"
cat >"$TMPDIR/receiver.py" <<'X'
import array, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1]); server.listen(1)
connection, _ = server.accept()
_, ancillary, _, _ = connection.recvmsg(4096, 1024)
master = array.array("i", ancillary[0][2])[0]
out = open(sys.argv[2], "w", buffering=1)
os.write(master, b"word\n")
while True:
    try:
        data = os.read(master, 4096)
    except OSError:
        break
    if not data: break
    out.write(data.decode()); out.flush()
X
receive() { # NAME
  rm -f "$TMPDIR/sock"
  python3 "$TMPDIR/receiver.py" "$TMPDIR/sock" "$TMPDIR/$1" &
  receiver=$!
  wait_for 20 test -S "$TMPDIR/sock"
}
with '.process.terminal = true | .process.args = ["sh", "-c", "while read -r line; do echo got $line; done"]'
receive first
check slip run --detach --console-socket "$TMPDIR/sock" --bundle "$bundle" "$id"
wait_for 20 grep -q "got word" "$TMPDIR/first"
save
kill $receiver 2>/dev/null || true
wait $receiver || true
receive second
load --console-socket "$TMPDIR/sock" "$id"
wait_for 20 grep -q "got word" "$TMPDIR/second"
over
wait $receiver || true

echo "# a paused container; a user namespace"
with .
start
wait_for 20 counts 1
check slip pause "$id"
save
number=$(last)
load "$id"
goes_on "$number"
over
with '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
start
wait_for 20 counts 1
save
number=$(last)
load "$id"
goes_on "$number"
over

echo "# what criu cannot do is told, and all is as it was"
with '.process.args = ["sh", "-c", "nc -ll -p 80 -e cat & sleep 1; nc 127.0.0.1 80 </dev/zero >/dev/null & i=0; while :; do i=$((i + 1)); echo $i >>/tmp/count; sleep 0.1; done"]'
rm -f "$count"
start
wait_for 30 counts 1
connected() { slip exec "$id" netstat -tn | grep -q ESTABLISHED; }
wait_for 20 connected
check_fails 1 "criu failed: " slip --criu "$criu" checkpoint --image-path "$images" "$id"
check_contains "$err" "(log file: $images/dump.log)"
status_is "$id" running || fail "it does not run after a checkpoint that failed"
goes_on "$(last)"
over
with .
start
wait_for 20 counts 1
save
mv "$bundle/rootfs/bin" "$bundle/rootfs/no-bin"
check_fails 1 "criu failed: " slip --criu "$criu" restore -d -b "$bundle" --image-path "$images" "$id"
check_contains "$err" "(log file: $images/restore.log)"
mv "$bundle/rootfs/no-bin" "$bundle/rootfs/bin"
check_eq "" "$(slip list -q)"
[ -z "$(find /sys/fs/cgroup -name "*$id*")" ] || fail "a cgroup is left"
rm -rf "$images"

# criu mounts the cgroup tree once more, which takes the options from all mounts of it.
check_eq "$options" "$(unified_options)" "options of the cgroup v2 tree"

echo "# slip is killed at a checkpoint and at a restore: the container runs or has stopped, and the next commands clean up"
killed_after() { # SECONDS VERB...
  (timeout --foreground --signal KILL "$1" "$SLIP" --root "$TMPDIR/slip-run" --criu "$criu" "${@:2}" </dev/null || true) 2>/dev/null
}
settled() { no_criu && { status_is "$id" running || status_is "$id" stopped || [ ! -e "$TMPDIR/slip-run/$id" ]; }; }
for delay in 0.005 0.02 0.05 0.1 0.2; do
  rm -f "$count"
  start
  wait_for 20 counts 0
  killed_after "$delay" checkpoint --image-path "$images" "$id"
  wait_for 60 settled
  ! status_is "$id" running || goes_on 0
  over
done
start
wait_for 20 counts 1
save
for delay in 0.005 0.02 0.05 0.1 0.2; do
  killed_after "$delay" restore --detach --bundle "$bundle" --image-path "$images" "$id"
  wait_for 60 no_criu
  slip list >/dev/null
  settled || fail "neither running nor gone"
  check slip delete --force "$id"
  [ -z "$(find /sys/fs/cgroup -name "*$id*")" ] || fail "a cgroup is left"
done
