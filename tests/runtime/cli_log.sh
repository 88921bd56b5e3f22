#!/bin/bash
# Where errors go: one line on stderr, and exactly one object in the file of --log.
# labels: root
. "$SOURCE/tests/lib/common.sh"
require_root
require_command jq

bundle=$TMPDIR/b
make_bundle "$bundle" true
log=$TMPDIR/log

one_error() { # TEXT COMMAND...
  local text=$1
  shift
  rm -f "$log"
  run "$@"
  [ "$status" -ne 0 ] || fail "succeeded: $ran"
  check_contains "$err" "$text" "stderr"
  # podman reads the whole file as one document; containerd wants a time that Go can parse.
  check_eq 1 "$(jq -s length "$log")" "objects in the log"
  check_eq error "$(jq -r .level "$log")"
  check_contains "$(jq -r .msg "$log")" "$text" "msg"
  [[ $(jq -r .time "$log") =~ ^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$ ]] || fail "time: $(cat "$log")"
}
json() { slip --log "$log" --log-format json "$@"; }
one_error "does not exist" json state nobody
one_error "does not exist" json start nobody
one_error "does not exist" json kill nobody 9
one_error "does not exist" json delete nobody
one_error "does not exist" json exec nobody true
one_error 'requires exactly 1 argument(s)' json create
one_error 'not found' json create --bundle "$TMPDIR" x
one_error 'unknown flag' json create --nonsense x
edit_config "$bundle" '.process.args = ["/nope"] | .colour = "red" | .process.capabilities.bounding += ["CAP_NEW"]'
one_error 'no such file or directory' json run --bundle "$bundle" "$(new_id)"
edit_config "$bundle" '.process.args = ["nope"]'
one_error 'executable file not found in $PATH' json run --bundle "$bundle" "$(new_id)"
edit_config "$bundle" '.process.args = ["/etc"]'
one_error 'is a directory' json run --bundle "$bundle" "$(new_id)"

# Text: as logrus writes it.
rm -f "$log"
run slip --log "$log" state nobody
[[ $(cat "$log") =~ ^time=\"20[^\"]+Z\"\ level=error\ msg=\".*does\ not\ exist\"$ ]] || fail "log: $(cat "$log")"
# crun's spelling of the file.
rm -f "$log"
run slip --log "file:$log" state nobody
[ -s "$log" ] || fail "no log for file:PATH"

# Warnings come after success, on stderr or in the log, and name the property.
edit_config "$bundle" '.process.args = ["true"]'
check slip run --bundle "$bundle" "$(new_id)"
check_contains "$err" "slip run: warning: colour: unknown property, ignored"
check_contains "$err" 'process.capabilities.bounding: unknown capability "CAP_NEW", ignored'
rm -f "$log"
check json run --bundle "$bundle" "$(new_id)"
check_eq "" "$err"
check_eq "warning warning" "$(jq -r .level "$log" | xargs)"
rm -f "$log"
check json --log-level error run --bundle "$bundle" "$(new_id)"
[ ! -s "$log" ] || fail "warnings in spite of --log-level error"

check_fails 1 'unknown log-format "xml"' slip --log-format xml list
check_fails 1 'unknown log-level "loud"' slip --log-level loud list
check_fails 1 'open log' slip --log "$TMPDIR/none/log" list
