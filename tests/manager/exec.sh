#!/bin/bash
# labels: root cgroup
# timeout: 90
# exec on a terminal, detached, with other runtimes.
. "$SOURCE/tests/lib/common.sh"
require_root
require_command script
busybox_image busybox
check slipway run -d --name box busybox sleep 1000

# typed WORDS...: what comes of `slipway WORDS` on a terminal, with standard input as what is typed.
typed() { script -qefc "'$SLIPWAY' --root '$TMPDIR/slipway' --run-root '$TMPDIR/slipway-run' $*" /dev/null; }
say() { # DELAY TEXT ...
  while [ $# -gt 0 ]; do
    sleep "$1"
    printf "$2"
    shift 2
  done
  sleep 0.5
}
check_contains "$(say 0.5 'tty\n' 0.2 'exit 3\n' | typed exec -it box sh || echo "status $?")" /dev/pts/
run typed exec -it box sh -c "'exit 3'" </dev/null
check_eq 3 "$status" "exit status of exec -it"

# The detach keys leave the process running, and only they: what is only their beginning is typed.
alive() { slipway exec box sh -c 'ps | grep "[s]leep 77"'; }
run typed exec -it box sh < <(say 0.5 'sleep 77\n' 0.3 '\x10\x11')
check_eq 1 "$status" "exit status after the detach keys"
check_contains "$out" "read escape sequence"
check alive
sleep 0.3
check alive
run typed exec -it --detach-keys x box sh < <(say 0.5 'sleep 78\n' 0.3 'x')
check slipway exec box sh -c 'ps | grep "[s]leep 78"'
check_contains "$(say 0.5 'a\x10b\n' 0.2 '\x04' | typed exec -it box cat)" $'a\x10b'
check_fails 125 'Invalid detach keys' slipway exec --detach-keys ctrl box true
check slipway rm -f box

# Another runtime.
for name in runc crun; do
  command -v $name >/dev/null || continue
  run slipway run -d --name other --runtime $name busybox sleep 1000
  if [ "$status" != 0 ] && [ $name = crun ]; then
    echo "crun does not work on this machine: $err"
    slipway rm -f other >/dev/null 2>&1 || true
    continue
  fi
  check_eq 0 "$status" "run --runtime $name: $err"
  check_eq hello "$(slipway exec other echo hello)"
  check_eq in "$(echo in | slipway exec -i other cat)"
  check slipway exec -d other sh -c 'echo done >/tmp/detached; sleep 100'
  wait_for 5 slipway exec other test -s /tmp/detached
  check slipway exec -d -t other sh -c 'tty >/tmp/tty; sleep 100'
  wait_for 5 slipway exec other test -s /tmp/tty
  check_contains "$(slipway exec other cat /tmp/tty)" /dev/pts/
  check slipway exec -d other true
  run slipway exec -d other /no/such/program
  [ "$status" != 0 ] || fail "exec -d of a missing program with $name succeeded"
  check_contains "$(slipway top other -o args)" "sleep 1000"
  if [ -d /sys/fs/cgroup/pids ]; then
    check slipway update --pids-limit 77 other
    check_eq 77 "$(slipway exec other cat /sys/fs/cgroup/pids/pids.max)" "limit after update with $name"
    [ "$(slipway stats --no-stream --format '{{.PIDs}}' other)" -ge 3 ] || fail "stats with $name"
  fi
  check_fails 1 'not with a container of another runtime' slipway exec --detach-keys x other true
  check slipway rm -f other
done
