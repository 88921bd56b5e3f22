#!/bin/bash
# labels: root
# timeout: 180
# A registry that lies: what it says is refused in one line, and nothing of it stays.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command python3

export HOME=$TMPDIR/home SLIPWAY_CONFIG=$TMPDIR/config.json
unset DOCKER_CONFIG XDG_CONFIG_HOME
mkdir -p "$HOME"
echo '{}' >"$SLIPWAY_CONFIG"
log=$TMPDIR/requests
: >"$log"
python3 "$SOURCE/tests/lib/lying_registry.py" "$log" >"$TMPDIR/ports" 2>"$TMPDIR/server-errors" &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true' EXIT
wait_for 10 grep -q ' ' "$TMPDIR/ports"
read -r port other <"$TMPDIR/ports"
host=localhost:$port

nothing_is_left() {
  check slipway images -aq
  check_eq "" "$out" "images"
  check_eq "" "$(ls "$TMPDIR/slipway/content/blobs/sha256")" "blobs"
  check slipway system check
}

refused() { # REPOSITORY TEXT
  check_fails 1 "$2" slipway pull -q "$host/$1:1"
}
refused digest "filesystem layer verification failed"
refused short "it has 1000 bytes, not"
refused long "it is longer than"
refused size "it is longer than 1000 bytes"
refused negative "negative size"
refused loop "stopped after 5 redirects"
refused file "not a URL of HTTP"
refused huge "larger than 4194304 bytes"
refused path "hex digits"
refused both "a manifest and an index at once"
refused header "manifest verification failed"
refused schema1 "schema 1"
refused artifact "is not an image"
refused words "bad: one two [31m"
check_fails 1 "manifest verification failed" slipway pull -q "$host/app@sha256:$(printf "1%.0s" {1..64})"
check_fails 1 "invalid reference format" slipway pull -q "$host/app@sha256:$(printf '0%.0s' {1..64})"
nothing_is_left

# A connection that breaks goes on where it broke; a registry that is busy is asked again.
check slipway pull -q "$host/cut:1"
check slipway images -q --no-trunc "$host/cut"
id=$out
check_eq 3 "$(grep -c "GET /v2/cut/blobs/sha256:.* -" <(grep -v "$(cut -c8- <<<"$id")" "$log"))" "pieces"
slipway rmi -f "$id" >/dev/null
check slipway pull -q "$host/busy:1"
check_eq 3 "$(grep -c "GET /v2/busy/manifests/" "$log")" "questions"
slipway rmi -f "$id" >/dev/null

# Another host gets the blob's name and no credentials.
check slipway pull -q "$host/secret:1"
grep -q "^$port GET /v2/secret/blobs/.* Bearer the-token$" "$log" || fail "no token"
grep -q "^$other GET /elsewhere/.* -$" "$log" || fail "the other host got credentials"
slipway rmi -f "$id" >/dev/null

# Killed in the middle: nothing is left, and the next pull works.
"$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" pull -q "$host/slow:1" &
pull=$!
wait_for 10 grep -q "GET /v2/slow/blobs/$(sed -n 's,.*GET /elsewhere/\(sha256:[0-9a-f]*\) .*,\1,p' "$log" | head -1)" "$log"
sleep 0.3
kill -9 $pull
wait $pull 2>/dev/null || true
nothing_is_left
check slipway pull -q "$host/app:1"
check slipway images -q --no-trunc "$host/app"
check_eq "$id" "$out"
check slipway system check
