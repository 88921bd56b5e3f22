#!/bin/bash
# labels: root cgroup
# timeout: 90
# What a killed command or a killed monitor leaves: `ps` tells the truth about it, and the next command takes it away.
. "$SOURCE/tests/lib/common.sh"
require_root
require_command jq
busybox_image busybox
store=$TMPDIR/slipway

# --rm removes at once, and not when the next command finds it.
check slipway run --rm -v data:/data busybox true
check_eq '' "$(ls "$store/containers" "$store/pending" "$TMPDIR/slipway-run/monitors" | grep -v : | tr -d '\n')" 'left of run --rm'
check slipway volume rm data

# A command that is killed between making the container and starting it.
killed_run() { # OPTION...
  SLIPWAY_FAULT=manager.create.published:1 "$SLIPWAY" --root "$store" --run-root "$TMPDIR/slipway-run" "$@" 2>/dev/null &
  wait $! 2>/dev/null && fail "$* was not killed" || true
}
killed_run run --rm --name once busybox true
check_eq 1 "$(ls "$store/containers" | wc -l)" "containers on disk"
check_eq '' "$(slipway ps -aq)" "containers after a killed run --rm"
check_eq 0 "$(ls "$store/containers" | wc -l)" "containers on disk after ps"
# Also when the next command is the same one, or wants the image.
killed_run run --rm --name once busybox true
check slipway run --rm --name once busybox echo again
check_eq again "$out"
killed_run run -d --rm busybox true
check slipway rmi busybox
busybox_image busybox
# Without --rm it stays, as docker's does; one of `create` is somebody's who will start it.
killed_run run --name kept busybox true
killed_run create --rm --name ours busybox true
check_eq 'kept Created ours Created' "$(slipway ps -a --format '{{.Names}} {{.Status}}' | sort | xargs)"
check slipway start -a ours
check_eq 'kept' "$(slipway ps -a --format '{{.Names}}')"
check slipway rm kept

monitor_of() { jq .MonitorPid "$store/containers/$1/state.json"; }
gone() { ! kill -0 "$1" 2>/dev/null; }
# kills NAME: its monitor, then its init.
killed_monitor() {
  local id init monitor
  id=$(slipway inspect -f '{{.Id}}' "$1")
  monitor=$(monitor_of "$id")
  init=$(slipway inspect -f '{{.State.Pid}}' "$1")
  kill -9 "$monitor"
  wait_for 5 gone "$monitor"
  # It runs on without a monitor, and can be used.
  check_eq "running $init" "$(slipway inspect -f '{{.State.Status}} {{.State.Pid}}' "$1")"
  check slipway exec "$1" true
  check_fails 1 'cannot be forced' slipway rmi -f "$(slipway images -q busybox)"
  kill -9 "$init"
  wait_for 5 gone "$init"
}
check slipway run -d --name plain busybox sleep 1000
id=$out
killed_monitor plain
check_eq 'exited 255' "$(slipway inspect -f '{{.State.Status}} {{.State.ExitCode}}' plain)"
check_contains "$(slipway inspect -f '{{.State.Error}}' plain)" 'monitor was killed'
check_eq '' "$(slipway ps -q)"
check_contains "$(slipway ps -a --format '{{.Status}}')" 'Exited (255)'
check_eq '' "$(find /sys/fs/cgroup -name "$id" -type d)" 'cgroups of a container whose monitor was killed'
[ ! -e "$TMPDIR/slipway-run/monitors/$id" ] || fail 'the directory of its monitor is left'
check_eq 255 "$(slipway wait plain)"
check slipway start plain
check_eq running "$(slipway inspect -f '{{.State.Status}}' plain)"
check slipway rm -f plain

check slipway run -d --rm --name brief -v /data busybox sleep 1000
killed_monitor brief
check_eq '' "$(slipway ps -aq)" 'containers after the end of one of --rm'
check_eq '' "$(slipway volume ls -q)" 'volumes after the end of one of --rm'

# An image's user that does not run any more does not forbid rmi -f, although its record says that it runs.
check slipway run -d --name user busybox sleep 1000
killed_monitor user
check slipway rmi -f busybox
check slipway rm user

# What the runtime cannot take away keeps its record: here since the one who shall do it is in the cgroup.
busybox_image busybox
check slipway run -d --name stuck busybox sleep 1000
id=$out
cgroup=$(find /sys/fs/cgroup -name "$id" -type d | head -n 1)
within() { (echo "$BASHPID" >"$cgroup/cgroup.procs" && "$@"); }
kill -9 "$(monitor_of "$id")"
kill -9 "$(slipway inspect -f '{{.State.Pid}}' stuck)"
for force in "" -f; do
  # shellcheck disable=SC2086
  check_fails 1 'the caller is in it too' within slipway rm $force stuck
done
check_eq 'exited' "$(slipway inspect -f '{{.State.Status}}' stuck)"
check slipway rm stuck
check_eq '' "$(find /sys/fs/cgroup -name "$id" -type d)" 'cgroups of a container that could not be removed at first'

# Nobody waits for a process that does not die of a kill: here one in a frozen cgroup of v1, in a container whose init has ended.
freezer=$(cgroup_of freezer)
# asleep OPTION...: such a container.
asleep() {
  local init
  check slipway run -d --pid host --name asleep "$@" busybox sh -c 'sleep 1000 & exec sleep 1001'
  id=$out
  init=$(slipway inspect -f '{{.State.Pid}}' asleep)
  wait_for 5 grep -vx "$init" "$freezer/slipway/$id/cgroup.procs"
  child=$(grep -vx "$init" "$freezer/slipway/$id/cgroup.procs")
  mkdir "$freezer/slipway/$id/stuck"
  echo "$child" >"$freezer/slipway/$id/stuck/cgroup.procs"
  echo FROZEN >"$freezer/slipway/$id/stuck/freezer.state"
  wait_for 5 grep FROZEN "$freezer/slipway/$id/stuck/freezer.state"
  kill -9 "$(monitor_of "$id")" "$init"
  wait_for 5 gone "$init"
}
thaw() {
  kill -9 "$child"
  echo THAWED >"$freezer/slipway/$id/stuck/freezer.state"
  wait_for 5 gone "$child"
}
if [ -d "$freezer/slipway" ] && [ ! -e "$freezer/slipway/cgroup.freeze" ]; then
  asleep --rm
  check timeout 5 "$SLIPWAY" --root "$store" --run-root "$TMPDIR/slipway-run" ps -aq --no-trunc
  check_eq "$id" "$out" 'a container of --rm in which something lives'
  thaw
  check_eq '' "$(slipway ps -aq)" 'containers when it has died'
fi

# What the runtime knows of it cannot be read: that keeps nobody from removing it, whether it runs or not.
for state in runs has_ended; do
  check slipway run -d --name torn busybox sleep 1000
  id=$out
  init=$(slipway inspect -f '{{.State.Pid}}' torn)
  echo '{' >"$TMPDIR/slipway-run/runtime/$id/state.json"
  if [ $state = has_ended ]; then
    kill -9 "$(monitor_of "$id")" "$init"
    wait_for 5 gone "$init"
  fi
  check slipway rm -f torn
  gone "$init" || fail 'it lives on'
  check_eq '' "$(find /sys/fs/cgroup "$TMPDIR/slipway-run" -name "$id")" "left of a container that $state"
done

# A runtime of the container's own that cannot delete it keeps it; one that is not installed any more does not.
cp "$SLIP" "$TMPDIR/runtime"
check slipway run --name other --runtime "$TMPDIR/runtime" busybox true
check slipway run --name forced --runtime "$TMPDIR/runtime" busybox true
mv "$TMPDIR/runtime" "$TMPDIR/good"
printf '#!/bin/sh\nexit 1\n' >"$TMPDIR/runtime"
chmod +x "$TMPDIR/runtime"
check_fails 1 "runtime \`$TMPDIR/runtime\`: failed without a word" slipway rm other
# By force it goes, if nothing of it lives.
check slipway rm -f forced
check_eq "slipway rm: warning: forced is removed, although its runtime cannot: runtime \`$TMPDIR/runtime\`: failed without a word" "$err"
if declare -p child >/dev/null 2>&1; then
  mv "$TMPDIR/runtime" "$TMPDIR/bad"
  mv "$TMPDIR/good" "$TMPDIR/runtime"
  asleep --runtime "$TMPDIR/runtime"
  mv "$TMPDIR/bad" "$TMPDIR/runtime"
  check_fails 1 "runtime \`$TMPDIR/runtime\`: failed without a word" slipway rm -f asleep
  thaw
  check slipway rm -f asleep
  check_eq '' "$(find /sys/fs/cgroup "$TMPDIR/slipway-run" -name "$id")" 'left of a container that was removed by force'
fi
rm "$TMPDIR/runtime"
check slipway rm other
check_eq '' "$(slipway ps -aq)" 'containers in the end'
