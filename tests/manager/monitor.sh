#!/bin/bash
# labels: root cgroup
# timeout: 150
# What the monitor of a container does when others are slow, hang, come at the wrong moment or share its process ids.
. "$SOURCE/tests/lib/common.sh"
require_root
require_command jq python3
busybox_image busybox
store=$TMPDIR/slipway
state() { slipway inspect -f '{{.State.Status}}' "$1"; }
is() { [ "$(state "$1")" = "$2" ]; }
monitor_of() { jq .MonitorPid "$store/containers/$(slipway inspect -f '{{.Id}}' "$1")/state.json"; }

# A client that does not read for a while gets all of both streams.
run python3 - "$SLIPWAY" --root "$store" --run-root "$TMPDIR/slipway-run" run --rm busybox \
  sh -c 'seq 1 300000 & seq 1 300000 >&2; wait' <<'PYTHON'
import subprocess, sys, time
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
time.sleep(1)  # pipes and sockets fill
out, err = process.communicate()
want = b"".join(b"%d\n" % i for i in range(1, 300001))
print(out == want, err == want)
PYTHON
check_eq 'True True' "$out" 'output'

# One that does not read at all keeps nobody from stopping the container; what it has not read is there when it does.
mkfifo "$TMPDIR/fifo"
slipway run --name flood busybox sh -c 'trap "exit 3" TERM; seq 1 1000000 & wait' >"$TMPDIR/fifo" &
exec 3<"$TMPDIR/fifo"
wait_for 10 is flood running
client=$(pgrep -f "run-root $TMPDIR/slipway-run run --name flood")
kill -STOP "$client"
sleep 0.5
check slipway stop -t 5 flood
check_eq 'exited 3' "$(slipway inspect -f '{{.State.Status}} {{.State.ExitCode}}' flood)"
lines=$(slipway logs flood | wc -l)
[ "$lines" -gt 10000 ] || fail "the log has but $lines lines"
check slipway rm flood
kill -CONT "$client"
check_eq "$lines" "$(wc -l <&3)" 'lines that a client got afterwards'
exec 3<&-
status=0
wait $! || status=$?
check_eq 3 "$status" 'exit code of run'

# One that comes when the container has just ended gets its exit code, too.
SLIPWAY_FAULT=monitor.finish.reaped:1:stop check slipway run -d --name late busybox sh -c 'sleep 0.2; exit 7'
monitor=$(monitor_of late)
stands_still() { [ "$(ps -o state= -p "$monitor")" = T ]; }
wait_for 10 stands_still
slipway attach late &
comes() { [ -n "$(slipway events --since 1m --until 0s -f container=late -f event=attach)" ]; }
wait_for 10 comes
kill -CONT "$monitor"
status=0
wait $! || status=$?
check_eq 7 "$status" 'exit code of attach'
check slipway rm late

# Without process ids of its own: processes that live on do not keep the container from ending, and orphans are reaped.
run slipway run --pid host --name noisy busybox sh -c 'yes & exit 4'
check_eq 4 "$status" 'exit code of run'
check_eq 'exited 4' "$(slipway inspect -f '{{.State.Status}} {{.State.ExitCode}}' noisy)"
check slipway rm noisy
check slipway run -d --pid host --name orphans busybox sh -c 'for i in 1 2 3 4 5; do (sleep 0.1 &); done; exec sleep 1000'
only_init() { [ "$(ps -o pid= --ppid "$(monitor_of orphans)" | wc -l)" = 1 ]; }
sleep 0.3
wait_for 5 only_init
check slipway rm -f orphans
check slipway run -d --pid host --name probed --health-cmd 'exec sleep 1000' --health-interval 100ms busybox sleep 1001
wait_for 10 pgrep -f -P "$(monitor_of probed)" 'sleep 1000'
check slipway stop -t 0 probed
check_eq exited "$(state probed)"
check slipway rm probed

# Restart policies are those of the moment of the end.
check slipway run -d --name often --restart always busybox sleep 1000
check slipway update --restart no often
kill -9 "$(slipway inspect -f '{{.State.Pid}}' often)"
check_eq 137 "$(slipway wait often)"
check_eq 'exited 0' "$(slipway inspect -f '{{.State.Status}} {{.RestartCount}}' often)"
check slipway start often
check slipway update --restart on-failure:1 often
kill -9 "$(slipway inspect -f '{{.State.Pid}}' often)"
restarted() { [ "$(slipway inspect -f '{{.State.Status}} {{.RestartCount}}' often)" = 'running 1' ]; }
wait_for 10 restarted
check slipway rm -f often

# `stop` and `kill` while the monitor makes the container again.
for verb in stop kill; do
  SLIPWAY_FAULT=monitor.launch.ready:2:stop check slipway run -d --name again --restart always busybox sleep 1000
  monitor=$(monitor_of again)
  kill -9 "$(slipway inspect -f '{{.State.Pid}}' again)"
  wait_for 10 stands_still
  check_eq restarting "$(state again)"
  slipway $verb again >/dev/null &
  stopped() { [ -e "$store/containers/$(slipway inspect -f '{{.Id}}' again)/stopped" ]; }
  wait_for 10 stopped
  kill -CONT "$monitor"
  wait $!
  check_eq exited "$(state again)" "after $verb"
  check slipway rm again
done
check_eq '' "$(slipway ps -aq)" 'containers left'
