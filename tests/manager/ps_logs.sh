#!/bin/bash
# labels: root cgroup
# timeout: 90
# What ps, inspect and logs show, with formats and filters.
. "$SOURCE/tests/lib/common.sh"
require_root
busybox_image busybox

check slipway run -d --name one --label tier=web -e A=b busybox sleep 100
run slipway run --name two --label tier=db busybox sh -c 'echo first; echo second >&2; printf third; exit 3'
check_contains "$(slipway ps)" 'CONTAINER ID   IMAGE     COMMAND       CREATED'
check_contains "$(slipway ps)" '"sleep 100"'
check_lacks "$(slipway ps)" two
check_eq 'two one ' "$(slipway ps -a --format '{{.Names}}' | tr '\n' ' ')" 'newest first'
check_eq two "$(slipway ps -l --format '{{.Names}}')"
check_eq 12 "$(slipway ps -q | tr -d '\n' | wc -c)"
check_eq 64 "$(slipway ps -q --no-trunc | tr -d '\n' | wc -c)"
check_contains "$(slipway ps -a --format 'table {{.Names}}\t{{.Status}}')" 'NAMES     STATUS'
check_contains "$(slipway ps -a)" 'Exited (3)'
check_eq "" "$(slipway ps --filter exited=3 --format '{{.Names}}')" "as docker: without -a"
check_eq two "$(slipway ps --filter status=exited --format '{{.Names}}')"
check_eq two "$(slipway ps -a --filter exited=3 --format '{{.Names}}')"
check_eq two "$(slipway ps -a --filter label=tier=db --format '{{.Names}}')"
check_eq one "$(slipway ps -a --filter status=running --format '{{.Names}}')"
check_eq one "$(slipway ps -a --filter name=^one\$ --format '{{.Names}}')"
check_eq one "$(slipway ps -a --filter before=two --format '{{.Names}}')"
check_eq two "$(slipway ps -a --filter since=one --format '{{.Names}}')"
check_eq 2 "$(slipway ps -aq --filter ancestor=busybox | wc -l)"
check_eq one "$(slipway ps --format json | jq -r .Names)"
check_eq web "$(slipway ps --format '{{.Label "tier"}}')"
check_contains "$(slipway ps -s --format '{{.Size}}')" 'virtual'
check_fails 1 "invalid filter 'colour'" slipway ps --filter colour=red

check_eq /one "$(slipway inspect -f '{{.Name}}' one)"
check_eq '["sleep","100"]' "$(slipway inspect -f '{{json .Config.Cmd}}' one)"
check_eq 'true 0' "$(slipway inspect -f '{{.State.Running}} {{.State.ExitCode}}' one)"
check_eq A=b "$(slipway inspect -f '{{range .Config.Env}}{{.}}{{end}}' one)"
check_eq web "$(slipway inspect -f '{{index .Config.Labels "tier"}}' one)"
check_eq 'yes' "$(slipway inspect -f '{{if and .State.Running (eq .State.ExitCode 0)}}yes{{else}}no{{end}}' one)"
check_eq overlay "$(slipway inspect one | jq -r '.[0].GraphDriver.Name' | sed 's/2$//;s/vfs/overlay/')"
check_eq '[]' "$(slipway inspect no-such-thing 2>/dev/null || true)"
check_fails 1 'No such object' slipway inspect no-such-thing
check_fails 1 "can't evaluate field Nonsense" slipway inspect -f '{{.Nonsense}}' one

check slipway logs two
check_eq $'first\nthird' "$out"
check_eq second "$err"
check_eq third "$(slipway logs --tail 1 two 2>&1)"
check_eq '' "$(slipway logs --since 2099-01-01 two 2>&1)"
check_eq '' "$(slipway logs --until 2001-01-01 two 2>&1)"
check_eq 1 "$(slipway logs -t two 2>/dev/null | grep -Ec '^20[0-9-]*T[0-9:.]*Z first$')" 'lines with a time'
check slipway run -d --name three busybox sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done'
check_eq '1 2 3 ' "$(slipway logs -f three | tr '\n' ' ')"
check slipway run --name four --log-opt max-size=1k --log-opt max-file=3 busybox sh -c 'i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); done'
check_eq 'line 99' "$(slipway logs --tail 1 four)"
check_eq 3 "$(ls "$TMPDIR/slipway/containers/$(slipway inspect -f '{{.Id}}' four)"/log* | wc -l)"
check slipway run --name five --log-driver none busybox echo unseen
check_fails 1 'does not support reading' slipway logs five
check slipway rm -f one two three four five
