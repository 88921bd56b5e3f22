#!/bin/bash
# What callers hand over and get: pid files, descriptors of socket activation, signals.
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root

bundle=$TMPDIR/b
make_bundle "$bundle" sleep 1000
id=$(new_id)

# A pid file's path is the caller's; it is there when the command returns.
mkdir "$TMPDIR/elsewhere"
(cd "$TMPDIR/elsewhere" && slip create --bundle "$bundle" --pid-file here "$id")
check_eq "$(slip state "$id" | jq .pid)" "$(cat "$TMPDIR/elsewhere/here")"
check slip delete "$id"
check_fails 1 "pid file" slip create --bundle "$bundle" --pid-file "$TMPDIR/no/such/dir/pid" "$id"
check_eq "" "$(slip list -q)"

# LISTEN_FDS: the first descriptors, with a LISTEN_PID that is right inside.
edit_config "$bundle" '.process.args = ["sh", "-c", "echo $LISTEN_FDS $LISTEN_PID $$; cat <&3; cat <&4; [ ! -e /proc/self/fd/5 ]"]'
echo three >"$TMPDIR/3"
echo four >"$TMPDIR/4"
bash -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3<"$TMPDIR/3" 4<"$TMPDIR/4"' - \
  "$SLIP" --root "$TMPDIR/slip-run" run --preserve-fds 1 --bundle "$bundle" "$id" >"$TMPDIR/out"
check_eq "1 1 1 three four" "$(xargs <"$TMPDIR/out")"
LISTEN_FDS=1 LISTEN_PID=1 slip run --bundle "$bundle" "$id" >"$TMPDIR/out" 2>&1 || true
check_eq "1" "$(head -1 "$TMPDIR/out" | xargs)" "variables that are not for us"

# Signals of the caller in the foreground are the container's.
edit_config "$bundle" '.process.user = {uid: 0, gid: 0} | .process.args = ["sh", "-c",
  "trap \"echo got TERM; exit 11\" TERM; trap \"echo got USR1\" USR1; trap \"echo got HUP\" HUP; echo up; while :; do sleep 0.05; done"]'
"$SLIP" --root "$TMPDIR/slip-run" run --bundle "$bundle" "$id" >"$TMPDIR/out" &
runtime=$!
wait_for 10 grep -q up "$TMPDIR/out"
for signal in USR1 HUP TERM; do
  kill -$signal $runtime
  sleep 0.3
done
status=0
wait $runtime || status=$?
check_eq 11 "$status" "exit status after TERM"
check_eq "up got USR1 got HUP got TERM" "$(xargs <"$TMPDIR/out")"
check_eq "" "$(slip list -q)"

# Orphans of the container are reaped, and do not keep it.
edit_config "$bundle" '.process.args = ["sh", "-c", "(sleep 0.2; true) & (sleep 1000 &) ; exit 4"] | .linux.namespaces |= map(select(.type != "pid"))'
run slip run --bundle "$bundle" "$id"
check_eq 4 "$status"
