#!/bin/bash
# labels: engine root cgroup
# timeout: 120
# containerd drives our runtime through its runc shim, whose BinaryName is ours.
. "$SOURCE/tests/lib/common.sh"
. "$SOURCE/tests/lib/engines.sh"
require_engine_runtime
require_command containerd ctr
require_cgroup memory

start_containerd
rootfs=$(busybox_rootfs)
start=(ctr_ run --runc-binary "$ENGINE_RUNTIME" --env PATH=/bin --rootfs)

check "${start[@]}" --rm "$rootfs" one echo hello
check_eq hello "$out"
run "${start[@]}" --rm "$rootfs" two sh -c 'exit 9'
check_eq 9 "$status" "exit status"
run "${start[@]}" --rm "$rootfs" three /no/such/program
[ "$status" != 0 ] || fail "a missing program runs"
check_contains "$err" "no such file or directory"

check "${start[@]}" -d --memory-limit 33554432 "$rootfs" box sh -c 'while :; do sleep 0.1; done'
check ctr_ task ls
check_contains "$out" RUNNING
check ctr_ task exec --exec-id e1 box sh -c 'id -u; exit 0'
check_eq 0 "$out"
run ctr_ task exec --exec-id e2 box sh -c 'exit 4'
check_eq 4 "$status" "exit status of exec"
check ctr_ task ps box
check_contains "$out" PID
if figures_can_be_found; then
  check ctr_ task metrics box
  check_contains "$out" memory
fi
check ctr_ task pause box
check ctr_ task ls
check_contains "$out" PAUSED
check ctr_ task resume box
check ctr_ task ls
check_contains "$out" RUNNING
check ctr_ task kill -s KILL box
stopped() { ctr_ task ls | grep -q "box.*STOPPED"; }
wait_for 10 stopped
check ctr_ task rm box
check ctr_ container rm box

# Many at once, and gone again.
waiting=
for i in 1 2 3 4 5 6 7 8; do
  "${start[@]}" --rm "$rootfs" "load$i" sh -c 'echo done' >"$TMPDIR/load$i" &
  waiting+=" $!"
done
for pid in $waiting; do wait "$pid"; done
check_eq 8 "$(cat "$TMPDIR"/load? | grep -c "done")" "containers that ran"
check ctr_ container ls -q
check_eq "" "$out"
stop_containerd
