#!/bin/bash
# labels: root cgroup
# timeout: 600
# kill -9 of the monitor: between its execution and its order, at each step of the start and of the end, while the
# container runs or is paused, and at random instants. Who waits for it is told, `ps` tells the truth, the next commands work, and
# nothing is left. A quarter of CRASH_ROUNDS is how many die at random, of each kind.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
. "$SOURCE/tests/lib/strike.sh"
busybox_image bb

state() { slipway inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$1"; }
programs() { pgrep -f "^sleep $mark" || true; }
mark=$((1000000 + $$ % 100000 * 10))
# Nothing of the container but its name is left, and it can be used.
works_again() { # NAME
  check slipway rm -f "$1"
  check_eq "" "$(programs)" "programs of $1"
  check slipway run --name "$1" bb true
  check slipway rm "$1"
}

# --- at each step: what the commands say, and what `ps` shows afterwards

never_ran='the monitor ended before the container ran'
for point in begun launch.ready launch.started launch.recorded; do
  for options in "" -d --rm; do
    # shellcheck disable=SC2086
    SLIPWAY_FAULT=monitor.$point:1 check_fails 125 "$never_ran" slipway run $options --name box bb sleep $mark
    if [ "$options" = --rm ]; then
      check slipway ps -aq
      check_eq "" "$out" "containers after a run --rm whose monitor died at $point"
      check_eq "" "$(programs)" "programs"
      continue
    fi
    check slipway ps -a --format '{{.State}}'
    case $point in
      # Its program runs on, and nobody can be asked any more how it ends.
      launch.recorded) check_eq "running" "$out"; [ -n "$(programs)" ] || fail "it is called running, and is not" ;;
      *) check_eq "created" "$out"; check_eq "" "$(programs)" "programs of a created container" ;;
    esac
    works_again box
  done
  slipway create --name box bb sleep $mark >/dev/null
  SLIPWAY_FAULT=monitor.$point:1 check_fails 1 "$never_ran" slipway start box
  # Without a look by `ps` between them.
  if [ $point != launch.recorded ]; then
    check slipway start box
    check_eq "running 0" "$(state box)"
    check slipway exec box true
  fi
  works_again box
done

for point in finish.reaped finish.recorded end; do
  # Until its end was recorded, nobody but the monitor knew the exit code.
  code=3
  [ $point != finish.reaped ] || code=255
  SLIPWAY_FAULT=monitor.$point:1 run slipway run --name box bb sh -c 'echo out; exit 3'
  check_eq "$code out" "$status $out" "run whose monitor died at $point"
  check_eq "exited $code" "$(state box)"
  check slipway logs box
  check_eq out "$out"
  check slipway wait box
  check_eq $code "$out"
  run slipway start -a box
  check_eq "3 out" "$status $out" "start after the end of a killed monitor"
  works_again box
  SLIPWAY_FAULT=monitor.$point:1 run slipway run --rm --name box bb true
  check slipway ps -aq
  check_eq "" "$out" "containers after a run --rm whose monitor died at $point"
  # Whoever waits, and whoever restarts.
  SLIPWAY_FAULT=monitor.$point:1 check slipway run -d --restart on-failure:1 --name box bb sh -c 'exit 3'
  check slipway wait box
  works_again box
done

# --- while it runs

check slipway run -d -i --name box bb sleep $mark
slipway attach box </dev/null >"$TMPDIR/attached" 2>&1 &
attached=$!
slipway wait box >"$TMPDIR/waited" 2>&1 &
waited=$!
wait_for 10 sh -c "'$SLIPWAY' --root '$TMPDIR/slipway' --run-root '$TMPDIR/slipway-run' events --since 1m --until 0s | grep -q attach"
kill -9 "$(pgrep -f "^slipway-monitor $TMPDIR/slipway ")"
status=0
wait $attached || status=$?
check_eq 1 "$status" "exit status of an attach whose monitor died"
check_contains "$(cat "$TMPDIR/attached")" "the monitor of container"
check_eq "running 0" "$(state box)"
check slipway exec box true
check slipway pause box
check slipway unpause box
check slipway stop -t 0 box
check_eq "exited 255" "$(state box)"
wait $waited
check_eq 255 "$(cat "$TMPDIR/waited")" "what a wait said that had begun before"
works_again box

# --- while it stands still, with and without its monitor: a pause that was not complete is ended by the next command

for point in marked frozen thawed; do
  for monitor in lives dies; do
    check slipway run -d --name box bb sh -c 'while :; do echo >>/tmp/moves; sleep 0.01; done'
    [ $point != thawed ] || check slipway pause box
    verb=pause want=running
    [ $point != thawed ] || verb=unpause
    [ $monitor = lives ] || kill -9 "$(pgrep -of "^slipway-monitor $TMPDIR/slipway ")"
    SLIPWAY_FAULT=pause.$point:1 run slipway $verb box
    check_eq 137 "$status"
    check slipway ps --format '{{.State}}'
    check_eq $want "$out" "after a $verb that died at $point, whose monitor $monitor"
    check slipway exec box rm /tmp/moves
    wait_for 10 slipway exec box test -e /tmp/moves
    check slipway pause box
    check_eq "paused 0" "$(state box)"
    check slipway unpause box
    check slipway rm -f box
  done
done
# A commit that dies without a monitor that would notice.
check slipway run -d --name box bb sleep $mark
kill -9 "$(pgrep -of "^slipway-monitor $TMPDIR/slipway ")"
SLIPWAY_FAULT=pause.frozen:1 run slipway commit box image
check_eq 137 "$status"
check slipway ps --format '{{.State}}'
check_eq running "$out" "after a commit that died"
check slipway exec box true
works_again box

# --- at random instants

# What kill_monitor does, and what comes of the command that it runs beside.
kill_monitor() { # WITHIN COMMAND...
  local pid=
  "${@:2}" >/dev/null 2>&1 &
  until pid=$(pgrep -f "^slipway-monitor $TMPDIR/slipway ") || ! kill -0 $! 2>/dev/null; do :; done
  pause_below "$1"
  # shellcheck disable=SC2086
  [ -z "$pid" ] || kill -9 $pid 2>/dev/null && hits=$((hits + 1))
  wait $! || true
}
within=$(duration slipway run --rm bb true) rounds=$((rounds / 4))
for options in "--name box" --rm "-d --name box"; do
  hits=0
  for ((i = 0; hits < rounds && i < 4 * rounds; i++)); do
    # shellcheck disable=SC2086
    kill_monitor "$within" slipway run $options bb sh -c "[ $((i % 2)) = 0 ] || exec sleep 0.0$((i % 10))"
    ! slipway inspect box >/dev/null 2>&1 || check slipway rm -f box
    wait_for 10 sh -c "[ -z \"\$('$SLIPWAY' --root '$TMPDIR/slipway' --run-root '$TMPDIR/slipway-run' ps -aq)\" ]"
  done
  echo "run $options: $hits of $i monitors killed"
  [ $hits -gt 0 ] || fail "no monitor was killed"
done

check slipway system check
check_eq "" "$out" "system check"
check slipway ps -aq
check_eq "" "$out" "containers left"
check_eq "" "$(find "$TMPDIR/slipway-run" -mindepth 2 ! -path '*/.*' | head -n 5)" "left in the run directory"
