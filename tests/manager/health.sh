#!/bin/bash
# labels: root cgroup
# timeout: 150
# What each of --health-* and --no-healthcheck does, and what pauses and other runtimes do to checks.
. "$SOURCE/tests/lib/common.sh"
require_root
require_command jq
busybox_image busybox
health() { slipway inspect -f "{{json .State.Health}}" "$1" | jq -c "$2"; }
told() { slipway events --since 10m --until 0s -f "container=$1" -f event=health_status --format '{{.Action}}' | sed 's/.*: //' | xargs; }
is() { [ "$(health "$1" .Status)" = "\"$2\"" ]; }
# A check that fails so many times, and then succeeds.
fails() { echo "echo >>/n; [ \$(wc -l </n) -gt $1 ]"; }

# An interval that has not gone by, and one that has; the latter is started later.
check slipway run -d --name hourly --health-cmd true --health-interval 1h busybox sleep 1000
check slipway run -d --name often --health-cmd 'echo seen' --health-interval 100ms busybox sleep 1000
probes() { [ "$(health often '.Log | length')" -ge 3 ]; }
wait_for 20 probes
check_eq '["starting",0]' "$(health hourly '[.Status, (.Log | length)]')"
check_eq '["healthy",0,"seen\n"]' "$(health often '[.Status, .Log[0].ExitCode, .Log[0].Output]')"

# Nobody asks a container that is paused, nor counts a check that it was paused in.
check slipway pause often
sleep 1
check_eq '["healthy",0]' "$(health often '[.Status, .FailingStreak]')" 'health of a paused container'
check slipway unpause often
check_eq healthy "$(told often)"
check slipway rm -f hourly often

# So many failures in a row.
for failures in 2 3; do
  check slipway run -d --name "sick$failures" --health-cmd "$(fails $failures)" --health-interval 100ms --health-retries 3 busybox sleep 1000
done
wait_for 20 is sick2 healthy
wait_for 20 is sick3 healthy
check_eq healthy "$(told sick2)" '2 failures of 3'
check_eq 'unhealthy healthy' "$(told sick3)" '3 failures of 3'
check slipway rm -f sick2 sick3

# Those while it starts do not count, and come in an interval of their own.
check slipway run -d --name slow --health-cmd "$(fails 4)" --health-interval 1h --health-retries 1 \
  --health-start-period 30m --health-start-interval 100ms busybox sleep 1000
wait_for 20 is slow healthy
check_eq '[0,[1,1,1,1,0]]' "$(health slow '[.FailingStreak, [.Log[].ExitCode]]')"
check_eq healthy "$(told slow)" 'failures in the start period'
check slipway rm -f slow

# A check that takes too long has failed, and is ended.
check slipway run -d --name hangs --health-cmd 'echo begun; exec sleep 1001' --health-interval 100ms --health-timeout 300ms \
  --health-retries 1 busybox sleep 1000
wait_for 20 is hangs unhealthy
check_eq '[-1,"Health check exceeded timeout (300ms)"]' "$(health hangs '.Log[0] | [.ExitCode, .Output]')"
[ "$(slipway top hangs | grep -c 'sleep 1001')" -le 1 ] || fail 'checks that took too long live on'
check slipway stop -t 0 hangs
check slipway rm hangs

# The image's check, and none.
check slipway create --name donor busybox true
check slipway commit --change 'HEALTHCHECK --interval=100ms --retries=1 CMD false' donor checked
check slipway run -d --name with checked sleep 1000
wait_for 20 is with unhealthy
check slipway run -d --name without --no-healthcheck checked sleep 1000
sleep 0.5
check_eq null "$(health without .)" '.State.Health with --no-healthcheck'
check slipway rm -f donor with without

# Another runtime makes the processes of its containers' checks, too.
check slipway run -d --name other --runtime "$SLIP" --health-cmd 'hostname; exit 1' --health-interval 100ms --health-retries 1 \
  --hostname elsewhere busybox sleep 1000
wait_for 20 is other unhealthy
check_eq '[1,"elsewhere\n"]' "$(health other '.Log[0] | [.ExitCode, .Output]')"
check slipway rm -f other

# --stop-timeout instead of 10 s, and --stop-signal instead of SIGTERM.
check slipway run -d --name stubborn --stop-timeout 1 --stop-signal USR1 busybox sh -c 'trap "echo asked" USR1; echo ready; while :; do sleep 0.1; done'
says() { slipway logs stubborn | grep -x "$1"; }
wait_for 10 says ready
check slipway stop stubborn
check says asked
check_eq 137 "$(slipway inspect -f '{{.State.ExitCode}}' stubborn)"
read -r asked killed < <(slipway events --since 10m --until 0s -f container=stubborn -f event=kill --format '{{.TimeNano}}' | xargs)
waited=$(((killed - asked) / 100000000))
[ "$waited" -ge 10 ] && [ "$waited" -lt 90 ] || fail "SIGKILL came after $waited tenths of a second"
check slipway rm stubborn
check_eq '' "$(slipway ps -aq)" 'containers left'
