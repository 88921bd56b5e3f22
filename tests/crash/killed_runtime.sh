#!/bin/bash
# kill -9 of slip at random instants: the next command works and finds nothing of it.
# labels: root cgroup slow
# timeout: 300
. "$SOURCE/tests/lib/common.sh"
require_root

rounds=${ROUNDS:-200}
bundle=$TMPDIR/b
make_bundle "$bundle" sleep 1000
id=$(new_id)
mkdir -p "$TMPDIR/slip-run"  # the first slip may be killed before it makes its root
mounts_before=$(wc -l </proc/self/mountinfo)

kill_at_random() { # COMMAND...
  "$@" >/dev/null 2>&1 &
  local pid=$!
  # Up to 12 ms: as long as it takes.
  sleep "0.0$(printf '%02d' $((RANDOM % 13)))$((RANDOM % 10))"
  kill -9 "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

for ((round = 0; round < rounds; round++)); do
  case $((round % 4)) in
    0 | 1) kill_at_random "$SLIP" --root "$TMPDIR/slip-run" create --bundle "$bundle" "$id" ;;
    2) kill_at_random "$SLIP" --root "$TMPDIR/slip-run" run --detach --bundle "$bundle" "$id" ;;
    3)
      slip create --bundle "$bundle" "$id" >/dev/null 2>&1 || true
      kill_at_random "$SLIP" --root "$TMPDIR/slip-run" delete --force "$id"
      ;;
  esac
  # It was killed before there was a container, or after; in either case it can be deleted and made again.
  check slip list
  check slip delete --force "$id"
  if [ $((round % 10)) = 0 ]; then
    check slip create --bundle "$bundle" "$id"
    check slip delete "$id"
  fi
done
check slip list -q
check_eq "" "$out" "containers"
check_eq "" "$(ls -A "$TMPDIR/slip-run/.pending")" "records"
check_eq "" "$(find "$TMPDIR/slip-run" -mindepth 1 -maxdepth 1 ! -name '.*')" "directories"
check_eq "$mounts_before" "$(wc -l </proc/self/mountinfo)" "mounts"
check_eq "" "$(pgrep -f "^sleep 1000" || true)" "processes" || true
