#!/bin/bash
# A container's life: create, start, state, kill, delete; and what each says when it is not its turn.
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slip

status_of() {
  slip state "$1" | jq -r .status
}
is_status() { # ID STATUS
  [ "$(status_of "$1")" = "$2" ]
}

bundle=$TMPDIR/b
make_bundle "$bundle" sleep 1000
edit_config "$bundle" '.annotations = {"org.example": "yes"}'
id=$(new_id)

# created
check slip create --bundle "$bundle" --pid-file "$TMPDIR/pid" "$id"
check_eq "" "$out$err" "output of create"
pid=$(cat "$TMPDIR/pid")
check_eq "$pid" "$(od -An -c "$TMPDIR/pid" | tr -d ' \n')" "pid file without a newline"
check slip state "$id"
check_eq created "$(jq -r .status <<<"$out")"
check_eq "$pid" "$(jq -r .pid <<<"$out")"
check_eq "$bundle" "$(jq -r .bundle <<<"$out")"
check_eq "$bundle/rootfs" "$(jq -r .rootfs <<<"$out")"
check_eq yes "$(jq -r '.annotations["org.example"]' <<<"$out")"
check_eq "$id" "$(slip list -q)"
check_fails 1 "already exists" slip create --bundle "$bundle" "$id"
check_fails 1 "already exists" slip run --bundle "$bundle" "$id"
[ "$(stat -c %h "/proc/$pid")" -gt 0 ]

# running
check slip start "$id"
check_eq "" "$out$err" "output of start"
check_eq running "$(status_of "$id")"
check_fails 1 "cannot start an already running container" slip start "$id"
check_fails 1 "cannot delete container \`$id\` that is not stopped: running" slip delete "$id"

# stopped
check slip kill "$id" KILL
wait_for 5 is_status "$id" stopped
check_eq 0 "$(slip state "$id" | jq .pid)"
check_fails 1 "cannot start a container that has stopped" slip start "$id"
check_fails 1 "container not running" slip kill "$id" 9
check_fails 255 "cannot exec in a stopped container" slip exec "$id" true
check slip delete "$id"

# gone
for verb in state start delete "exec $id true" kill; do
  # shellcheck disable=SC2086
  set -- $verb
  run slip "$1" "$id" ${3:+"$3"}
  [ "$status" != 0 ]
  check_contains "$err" "does not exist" "$verb of a missing container"
done
check slip delete --force "$id"
check_eq "" "$(slip list -q)"
[ -z "$(ls -A "$TMPDIR/slip-run" | grep -v '^\.')" ] || fail "state is left"

# A created container is killed, or deleted, as it stands.
check slip create --bundle "$bundle" "$id"
check slip kill "$id" KILL
wait_for 5 is_status "$id" stopped
check slip delete "$id"
check slip create --bundle "$bundle" "$id"
check slip kill "$id" TERM
wait_for 5 is_status "$id" stopped
check slip delete "$id"
check slip create --bundle "$bundle" "$id"
check slip delete "$id"
check slip run --detach --bundle "$bundle" "$id"
check slip delete --force "$id"

# Two starts at once: exactly one succeeds.
check slip create --bundle "$bundle" "$id"
for i in 1 2 3; do
  (slip start "$id" 2>/dev/null && echo "$i" >>"$TMPDIR/started") &
done
wait
check_eq 1 "$(wc -l <"$TMPDIR/started")" "successful starts"
check slip delete --force "$id"

# Exit codes of the container in the foreground.
edit_config "$bundle" '.process.args = ["sh", "-c", "exit 42"]'
run slip run --bundle "$bundle" "$id"
check_eq 42 "$status"
# shellcheck disable=SC2016
edit_config "$bundle" '.process.args = ["sh", "-c", "kill -TERM $$; kill -KILL $$"]'
edit_config "$bundle" '.linux.namespaces |= map(select(.type != "pid"))'
run slip run --bundle "$bundle" "$id"
check_eq 143 "$status"
check_eq "" "$(slip list -q)"

# Wrong ids.
for bad in . .. a/b 'a b' '' '.hidden' 'ä'; do
  run slip create --bundle "$bundle" "$bad"
  [ "$status" != 0 ] || fail "id '$bad' was taken"
done
