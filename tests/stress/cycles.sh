#!/bin/bash
# labels: root cgroup
# timeout: 600
# serial: yes
# create, start, exec, kill and delete again and again, eight at a time, then many containers alive at once: nothing is
# left of them. STRESS=1: 1,000 cycles, of which the last hundred may take a tenth longer than the first, and 200 alive;
# else a tenth and a fifth of that.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slip
cycles=${STRESS:+1000} alive=${STRESS:+200}
cycles=${cycles:-104} alive=${alive:-40}
bundle=$TMPDIR/bundle
make_bundle "$bundle" /bin/sleep 1000

# Its standard output gets the microseconds of each cycle.
worker() { # NUMBER
  local i id start
  for ((i = 0; i < cycles / 8; i++)); do
    id=$(new_id "w$1-$i")
    start=${EPOCHREALTIME/./}
    slip create --bundle "$bundle" "$id"
    slip start "$id"
    slip exec "$id" /bin/true
    slip kill "$id" KILL
    until [ "$(slip state "$id" | jq -r .status)" = stopped ]; do sleep 0.01; done
    slip delete "$id"
    echo $((${EPOCHREALTIME/./} - start))
  done
}
pids=
for w in 1 2 3 4 5 6 7 8; do
  worker $w </dev/null >"$TMPDIR/times$w" &
  pids+=" $!"
done
for pid in $pids; do wait "$pid"; done
# Workers run side by side, so lines of one number belong to one time. The median: somebody may have disturbed a few.
median() { # sed ADDRESS
  for w in 1 2 3 4 5 6 7 8; do sed -n "$1" "$TMPDIR/times$w"; done | sort -n | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'
}
tenth=$((cycles / 80 > 0 ? cycles / 80 : 1))
last=$((cycles / 8 - tenth + 1))
first=$(median "1,${tenth}p") end=$(median "$last,\$p")
echo "a cycle took $first us at first, $end us at the end"
[ -z "${STRESS:-}" ] || [ $((end * 10)) -le $((first * 11)) ] || fail "cycles take longer and longer"
check slip list --quiet
check_eq "" "$out" "containers left after the cycles"

for ((i = 0; i < alive; i++)); do
  slip run --detach --bundle "$bundle" "$(new_id "a$i")" </dev/null >/dev/null 2>&1
done
check slip list --quiet
check_eq "$alive" "$(wc -l <<<"$out")" "containers alive"
check_eq "$alive" "$(slip list --format json | jq '[.[] | select(.status == "running")] | length')" "containers running"
for ((i = 0; i < alive; i++)); do
  slip delete --force "$(new_id "a$i")"
done
check slip list --quiet
check_eq "" "$out" "containers left at the end"
check_eq "" "$(find "$TMPDIR/slip-run" -mindepth 1 -maxdepth 1 -name "$TEST_ID*")" "records left"
