#!/bin/bash
# labels: root cgroup
# timeout: 60
# `system boot`: after a power cut, what restart policies want to run is started, and nothing else.
. "$SOURCE/tests/lib/common.sh"
require_root
busybox_image busybox
start() { # NAME POLICY
  check slipway run -d --name "$1" --restart "$2" busybox sleep 1000
}
running() {
  slipway ps --format '{{.Names}}' | sort | xargs
}
start always always
start unless unless-stopped
start unless-stopped-by-user unless-stopped
start failure on-failure
start none no
check slipway create --name never-started --restart unless-stopped busybox sleep 1000
check slipway stop -t 0 unless-stopped-by-user

# The power goes: no monitor gets a word in.
for name in always unless failure none; do
  dir=$TMPDIR/slipway/containers/$(slipway inspect --format '{{.Id}}' $name)
  kill -9 "$(jq .MonitorPid "$dir/state.json")" "$(jq .Pid "$dir/state.json")"
done
none_runs() {
  [ -z "$(slipway ps -q)" ]
}
wait_for 10 none_runs

check slipway system boot
# One that was killed has failed.
check_eq 'always failure unless' "$(running)"
check_eq 'always failure unless' "$(sort <<<"$out" | xargs)"
check slipway system boot
check_eq '' "$out" 'what runs already'
check slipway rm -f always unless unless-stopped-by-user failure none never-started
