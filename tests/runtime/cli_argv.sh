#!/bin/bash
# The command lines that engines really send (containerd's shim, conmon, podman, CRI-O, BuildKit), word for word.
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root

bundle=$TMPDIR/b
make_bundle "$bundle" sleep 1000
root=$TMPDIR/root
silent() { # COMMAND...: succeeds without a word: go-runc parses both streams together
  check "$@"
  [ -z "$out$err" ] || { show; fail "not silent: $ran"; }
}

# --- containerd's shim
shim() { "$SLIP" --root "$root" --log "$bundle/log.json" --log-format json "$@"; }
id=$(new_id shim)
silent shim create --bundle "$bundle" --pid-file "$bundle/init.pid" --no-pivot --no-new-keyring "$id"
check_eq "$(shim state "$id" | jq .pid)" "$(cat "$bundle/init.pid")" "pid file"
[ "$(tail -c1 "$bundle/init.pid" | wc -l)" = 0 ] || fail "the pid file ends with a newline"
check_eq created "$(shim state "$id" | jq -r .status)"
silent shim start "$id"
cat >"$TMPDIR/process" <<END
{"args": ["sleep", "999"], "cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["PATH=/bin"]}
END
silent shim exec --process "$TMPDIR/process" --detach --pid-file "$bundle/exec.pid" "$id"
check_contains "$(tr '\0' ' ' <"/proc/$(cat "$bundle/exec.pid")/cmdline")" "sleep 999"
silent shim kill --all "$id" 9
wait_for 10 sh -c "'$SLIP' --root '$root' state '$id' | grep -q '\"stopped\"'"
check_eq 0 "$(shim state "$id" | jq .pid)" "pid of a stopped container"
silent shim delete "$id"
silent shim delete --force "$id"
[ ! -s "$bundle/log.json" ] || fail "the log has: $(cat "$bundle/log.json")"

# --- conmon, for podman
id=$(new_id conmon)
silent "$SLIP" --root "$root" --log-format=json "--log=$TMPDIR/oci-log" create --bundle "$bundle" \
  --pid-file "$TMPDIR/pidfile" --no-pivot --no-new-keyring "$id"
silent "$SLIP" --root "$root" start "$id"
silent "$SLIP" --root "$root" --log-format=json "--log=$TMPDIR/oci-log" exec --pid-file "$TMPDIR/exec.pid" \
  --process "$TMPDIR/process" --detach "$id"
silent "$SLIP" --root "$root" kill "$id" 15
silent "$SLIP" --root "$root" kill --all "$id" 9
silent "$SLIP" --root "$root" delete --force "$id"

# --- CRI-O
id=$(new_id crio)
silent "$SLIP" --root "$root" create --bundle "$bundle" --pid-file "$TMPDIR/pidfile" "$id"
silent "$SLIP" --root "$root" start "$id"
check "$SLIP" --root "$root" state "$id"
check_eq "$id running $bundle" "$(jq -r '.id + " " + .status + " " + .bundle' <<<"$out")"
[[ $(jq -r .created <<<"$out") =~ ^20[0-9-]+T[0-9:]+\.[0-9]{1,9}Z$ ]] || fail "created is not RFC 3339: $out"
check "$SLIP" --root "$root" exec --process <(jq '.args = ["echo", "hi"]' "$TMPDIR/process") "$id"
check_eq hi "$out"
silent "$SLIP" --root "$root" kill -a "$id" KILL
silent "$SLIP" --root "$root" delete --force "$id"

# --- BuildKit: run in the foreground, kept, and killed from outside
id=$(new_id buildkit)
edit_config "$bundle" '.process.args = ["sh", "-c", "exit 5"]'
run "$SLIP" --root "$root" --log "$TMPDIR/runc-log.json" --log-format json run --bundle "$bundle" --keep "$id"
check_eq 5 "$status" "exit status"
check_eq stopped "$("$SLIP" --root "$root" state "$id" | jq -r .status)"
silent "$SLIP" --root "$root" delete "$id"
edit_config "$bundle" '.process.args = ["sleep", "1000"]'
"$SLIP" --root "$root" run --bundle "$bundle" --keep "$id" &
waiter=$!
wait_for 10 sh -c "'$SLIP' --root '$root' state '$id' | grep -q '\"running\"'"
silent "$SLIP" --root "$root" kill "$id" 9
status=0
wait $waiter || status=$?
check_eq 137 "$status" "128 + 9"
silent "$SLIP" --root "$root" delete "$id"

# --- one dash, equals signs, values in the same word
id=$(new_id spellings)
silent "$SLIP" -root "$root" -log-format=json create -bundle="$bundle" -no-pivot=false "$id"
silent "$SLIP" "--root=$root" delete -f "$id"
silent "$SLIP" --root "$root" --systemd-cgroup=false --rootless=auto --criu /usr/sbin/criu create -b "$bundle" "$id"
silent "$SLIP" --root "$root" start "$id"
# exec stops at the first word that is no option; -- is taken, too
check_eq "-n -la --help" "$("$SLIP" --root "$root" exec "$id" echo -- -n -la --help | sed 's/^-- //')"
check_eq "x" "$("$SLIP" --root "$root" exec -e A=x -- "$id" sh -c 'echo $A')"
for signal in 0 WINCH sigwinch SIGWINCH 28 RTMIN+1; do silent "$SLIP" --root "$root" kill "$id" $signal; done
silent "$SLIP" --root "$root" delete -f "$id"

# --- several at once, by pattern (crun)
for n in 1 2; do silent "$SLIP" --root "$root" create -b "$bundle" "$(new_id many)$n"; done
silent "$SLIP" --root "$root" kill --regex "many[12]\$" 9
silent "$SLIP" --root "$root" delete --force --regex "many[12]\$"
check_eq "" "$("$SLIP" --root "$root" list -q)"
