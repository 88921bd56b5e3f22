#!/bin/bash
# labels: root
# timeout: 120
# An image of several layers: three are fetched at a time, without a lock on the store; and what the terminal shows.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command python3 script curl

export HOME=$TMPDIR/home SLIPWAY_CONFIG=$TMPDIR/config.json
unset DOCKER_CONFIG XDG_CONFIG_HOME
mkdir -p "$HOME" "$TMPDIR/gate"
echo '{}' >"$SLIPWAY_CONFIG"
python3 "$SOURCE/tests/lib/many_layers.py" "$TMPDIR/gate" >"$TMPDIR/port" 2>"$TMPDIR/server-errors" &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true' EXIT
wait_for 10 test -s "$TMPDIR/port"
host=localhost:$(cat "$TMPDIR/port")

# While three wait, the store is everybody's.
slipway pull "$host/gate:1" >"$TMPDIR/pulled" 2>&1 &
puller=$!
three_wait() { [ "$(cat "$TMPDIR/gate/waiting")" = 3 ]; }
wait_for 30 three_wait
check slipway system check
check_eq "" "$(slipway images -aq)" "images during the pull"
touch "$TMPDIR/gate/open"
curl -s "http://$host/open"
wait $puller || fail "pull: $(cat "$TMPDIR/pulled")"
check_eq 3 "$(cat "$TMPDIR/gate/most")" "layers at once"
for event in "Pulling fs layer" "Download complete" "Pull complete"; do
  check_eq 6 "$(grep -c ": $event\$" "$TMPDIR/pulled")" "lines of '$event'"
done
# First what there is to do, and in the end the layers from the lowest up.
check_eq 6 "$(sed -n '2,7p' "$TMPDIR/pulled" | grep -c "Pulling fs layer")" "lines at first"
check_eq "$(sed -n '2,7p' "$TMPDIR/pulled" | cut -d: -f1)" "$(grep "Pull complete" "$TMPDIR/pulled" | cut -d: -f1)" "order"
id=$(slipway images -q --no-trunc)
check slipway system check
check slipway pull "$host/gate:1"
check_eq 6 "$(grep -c ": Already exists$" <<<"$out")" "layers that exist"

# A connection that breaks is taken up again, for each layer.
check slipway rmi -f "$id"
check slipway pull -q "$host/cut:1"
check_eq "$id" "$(slipway images -q --no-trunc)"

# A failure ends the pull, and nothing is left.
check slipway rmi -f "$id"
check_fails 1 "not found" slipway pull -q "$host/missing:1"
check_eq "" "$(slipway images -aq)" "images"
check_eq "" "$(ls "$TMPDIR/slipway/content/blobs/sha256")" "blobs"
check slipway system check

# On a terminal every layer has a line, which is overwritten.
script -qec "'$SLIPWAY' --root '$TMPDIR/slipway' --run-root '$TMPDIR/slipway-run' pull $host/gate:1" /dev/null >"$TMPDIR/shown" </dev/null
check_eq 6 "$(grep -o "A.*Pull complete.*B" <(tr '\033' '\n' <"$TMPDIR/shown" | paste -sd' ') | grep -o "Pull complete" | wc -l)" "lines"
check_contains "$(cat "$TMPDIR/shown")" $'\033[6A\r\033[K'
check_contains "$(cat "$TMPDIR/shown")" "Status: Downloaded newer image for $host/gate:1"
