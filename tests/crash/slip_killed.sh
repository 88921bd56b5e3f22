#!/bin/bash
# labels: root cgroup
# timeout: 240
# kill -9 of slip at random instants of run, create, start and delete, 200 times each. Whatever is left, the next commands
# work and take it away: processes, cgroups, records.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slip
rounds=${CRASH_ROUNDS:-200}
export bundle=$TMPDIR/bundle
make_bundle "$bundle" /bin/sleep 1000
exec 3<>"$(mkfifo "$TMPDIR/never" && echo "$TMPDIR/never")"

# Waits for up to this many microseconds without starting a process.
pause_below() { # MICROSECONDS
  local n=$((RANDOM * 32768 + RANDOM))
  local delay
  printf -v delay '0.%06d' $((n % $1 + 1))
  read -r -t "$delay" -u 3 || true
}

# strike COMMAND...: starts it and kills it within the time that it takes at most.
killed=0
strike() {
  "$SLIP" --root "$TMPDIR/slip-run" "$@" </dev/null >/dev/null 2>&1 &
  local pid=$!
  pause_below "$longest"
  ! kill -9 $pid 2>/dev/null || killed=$((killed + 1))
  wait $pid 2>/dev/null || true
}

# How long a create takes here, in microseconds, with some room.
start=${EPOCHREALTIME/./}
slip create --bundle "$bundle" "$(new_id first)"
longest=$(((${EPOCHREALTIME/./} - start) * 3 / 2))
slip delete --force "$(new_id first)"

for ((i = 0; i < rounds; i++)); do
  strike create --bundle "$bundle" "$(new_id create$i)"
  strike run --bundle "$bundle" "$(new_id run$i)"
  id=$(new_id delete$i)
  slip create --bundle "$bundle" "$id"
  strike start "$id"
  strike delete --force "$id"
  if ((i % 20 == 19)); then
    check slip list --quiet
    for id in $out; do check slip delete --force "$id"; done
  fi
done
echo "$killed commands were killed"

check slip list --quiet
for id in $out; do check slip delete --force "$id"; done
check slip list --quiet
check_eq "" "$out" "containers left"
check_eq "" "$(find /sys/fs/cgroup -type d -name "*$TEST_ID*")" "cgroups left"
left() { find "$TMPDIR/slip-run" -mindepth 1 -maxdepth 1 -name "$TEST_ID*"; }
check_eq "" "$(left)" "records left"
# As if nothing had been.
check slip create --bundle "$bundle" "$(new_id create0)"
check slip start "$(new_id create0)"
check slip delete --force "$(new_id create0)"
