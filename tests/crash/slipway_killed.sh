#!/bin/bash
# labels: root cgroup
# timeout: 400
# kill -9 of slipway at random instants of run, create and rm, 200 times each. The store stays whole, and the next commands
# work and take away what was left.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
rounds=${CRASH_ROUNDS:-200}
busybox_image bb
exec 3<>"$(mkfifo "$TMPDIR/never" && echo "$TMPDIR/never")"

pause_below() { # MICROSECONDS
  local n=$((RANDOM * 32768 + RANDOM)) delay
  printf -v delay '0.%06d' $((n % $1 + 1))
  read -r -t "$delay" -u 3 || true
}
killed=0
strike() { # COMMAND...
  "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" "$@" </dev/null >/dev/null 2>&1 &
  local pid=$!
  pause_below "$longest"
  ! kill -9 $pid 2>/dev/null || killed=$((killed + 1))
  wait $pid 2>/dev/null || true
}
remove_all() {
  check slipway ps -aq
  local id
  for id in $out; do check slipway rm -f "$id"; done
}

start=${EPOCHREALTIME/./}
slipway run --rm bb true
longest=$(((${EPOCHREALTIME/./} - start) * 3 / 2))
for ((i = 0; i < rounds; i++)); do
  strike run --name "run$i" bb true
  strike run -d --name "detached$i" bb sleep 1000
  strike create --name "create$i" bb true
  slipway create --name "rm$i" bb true >/dev/null
  strike rm "rm$i"
  if ((i % 20 == 19)); then remove_all; fi
done
echo "$killed commands were killed"

remove_all
check slipway ps -aq
check_eq "" "$out" "containers left"
check slipway images -q
check_eq 1 "$(wc -l <<<"$out")" "images"
if "$SLIPWAY" system check --help >/dev/null 2>&1; then check slipway system check; fi
for driver in "$TMPDIR"/slipway/{overlay2,vfs,btrfs}; do
  # One layer is the image's.
  [ ! -d "$driver" ] || [ "$(find "$driver" -mindepth 1 -maxdepth 1 -type d -name '????????????????????????????????????????????????????????????????' | wc -l)" -le 1 ] ||
    { find "$driver" -mindepth 1 -maxdepth 1; fail "layers left"; }
done
check_eq "" "$(find "$TMPDIR/slipway/tmp" "$TMPDIR/slipway/containers" -mindepth 1 2>/dev/null || true)" "half-written records left"
check slipway run --rm bb echo works
check_eq works "$out"
