#!/bin/bash
# labels: root cgroup
# timeout: 900
# kill -9 of slipway at random instants of run, create, start, commit, rm and rmi. The store stays whole, and the next
# commands work and take away what was left.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
. "$SOURCE/tests/lib/strike.sh"
busybox_image bb
slipway run -d --name living bb sh -c 'for i in $(seq 50); do echo $i >/file$i; done; sleep 1000' >/dev/null
slipway run --name changed bb sh -c 'for i in $(seq 50); do echo $i >/file$i; done'

store() { strike "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" "$@"; }
run_() { store run --name "$1" bb true; }
once_() { store run --rm bb true; }
detach_() { store run -d --name "$1" bb sleep 1000; }
create_() { store create --name "$1" bb true; }
start_() {
  slipway create --name "$1" bb sleep 1000 >/dev/null
  store start "$1"
}
rm_() {
  slipway create --name "$1" bb true >/dev/null
  store rm "$1"
}
commit_() { store commit changed "$1"; }
# It stands still for the commit, and goes on when the commit has died.
goes_on() { [ "$(slipway inspect --format '{{.State.Status}}' living)" = running ]; }
live_() {
  store commit living "$1"
  wait_for 5 goes_on
}
rmi_() {
  slipway commit changed "$1" >/dev/null
  store rmi "$1"
}
clean() {
  local id
  check slipway ps -aq --filter name="^$verb"
  for id in $out; do check slipway rm -f "$id"; done
  # What a killed run --rm has left has a name that nobody chose.
  check slipway ps -aq
  for id in $out; do [[ $kept = *$id* ]] || check slipway rm -f "$id"; done
  check slipway images -q --filter reference="$verb*"
  for id in $(sort -u <<<"$out"); do check slipway rmi -f "$id"; done
  # An image whose commit died before it had its name.
  check slipway image prune -f
  check slipway system check
  check_eq "" "$out" "system check"
}
kept=$(slipway ps -aq)

longest=$((3 * $(duration slipway run --rm bb true)))
slipway commit changed warm >/dev/null
slipway rmi warm >/dev/null
for verb in run once detach create start rm commit live rmi; do
  hits=0 within=$((longest / 3))
  for ((i = 0; hits < rounds && i < 4 * rounds; i++)); do
    ${verb}_ "$verb$i"
    hits=$((hits + struck))
    if ((i % 20 == 19)); then clean; fi
  done
  clean
  echo "$verb: $hits of $i killed"
  [ $hits = "$rounds" ] || fail "$verb was killed $hits times only"
done

check slipway rm -f changed living
check slipway rmi bb
check slipway ps -aq
check_eq "" "$out" "containers left"
check slipway images -aq
check_eq "" "$out" "images left"
root=$TMPDIR/slipway
for room in tmp pending containers names ids repositories images graph content/blobs/sha256 overlay2/tmp; do
  check_eq "" "$(find "$root/$room" -mindepth 1 2>/dev/null | head -n 5)" "left in $room"
done
check_eq "" "$(find "$root/overlay2" -mindepth 1 -maxdepth 1 -name '????????????????????????????????*')" "layers left"
