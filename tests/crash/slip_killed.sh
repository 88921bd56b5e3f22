#!/bin/bash
# labels: root cgroup
# timeout: 400
# kill -9 of slip at random instants of create, run, start and delete. Whatever is left, the next command works and takes
# it away: processes, cgroups, records.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slip
. "$SOURCE/tests/lib/strike.sh"
bundle=$TMPDIR/bundle
make_bundle "$bundle" /bin/sleep 1000
root=$TMPDIR/slip-run
longest=$((2 * $(duration slip run --detach --bundle "$bundle" "$(new_id first)")))
slip delete --force "$(new_id first)"

create_() { strike "$SLIP" --root "$root" create --bundle "$bundle" "$1"; }
run_() { strike "$SLIP" --root "$root" run --bundle "$bundle" "$1"; }
detach_() { strike "$SLIP" --root "$root" run --detach --bundle "$bundle" "$1"; }
start_() {
  slip create --bundle "$bundle" "$1" </dev/null
  strike "$SLIP" --root "$root" start "$1"
  # It waits still, or runs.
  check slip state "$1"
  [ "$(jq -r .status <<<"$out")" = running ] || check slip start "$1"
  check slip exec "$1" true
}
delete_() {
  slip run --detach --bundle "$bundle" "$1" </dev/null
  strike "$SLIP" --root "$root" delete --force "$1"
}

for verb in create run detach start delete; do
  hits=0 within=$((longest / 2))
  for ((i = 0; hits < rounds && i < 4 * rounds; i++)); do
    id=$(new_id $verb)
    ${verb}_ "$id"
    hits=$((hits + struck))
    # The same name, as if nothing had been; of other names the list tells, and all go in the end.
    if ((i % 4 == 0)); then
      check slip list
      check slip delete --force "$id"
      slip create --bundle "$bundle" "$id" </dev/null
    fi
    check slip delete --force "$id"
  done
  echo "$verb: $hits of $i killed"
  [ $hits = "$rounds" ] || fail "$verb was killed $hits times only"
done
check slip list --quiet
check_eq "" "$out" "containers left"
check_eq "" "$(find /sys/fs/cgroup -type d -name "*$TEST_ID*")" "cgroups left"
check_eq "" "$(find "$root" -mindepth 1 -maxdepth 1 ! -name '.*')" "records left"
check_eq "" "$(ls -A "$root/.pending" 2>/dev/null || true)" "half-written records left"
