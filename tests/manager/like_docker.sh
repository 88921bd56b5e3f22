#!/bin/bash
# labels: root cgroup
# timeout: 120
# Small things that scripts meet, each as Debian's docker 20.10 shows it.
. "$SOURCE/tests/lib/common.sh"
require_root
busybox_image busybox

# What is nil in Go.
check slipway create --name nil --pids-limit 5 busybox true
check slipway inspect -f '{{.Config.Entrypoint}} {{.HostConfig.CapAdd}} {{.HostConfig.MemorySwappiness}} {{.Config.Volumes}} {{.HostConfig.PidsLimit}}' nil
check_eq "[] [] <nil> map[] 5" "$out"
check slipway inspect -f '{{json .Config.Entrypoint}} {{json .HostConfig.CapAdd}}' nil
check_eq "null null" "$out"
check slipway inspect -f '{{.Config.Entrypoint}} {{.Config.ExposedPorts}} {{.Config.Healthcheck}} [{{.Config.StopSignal}}] {{.Config.Shell}}' busybox
check_eq "[] map[] <nil> [] []" "$out"
check slipway inspect -f '{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.SizeRw}} [{{.Config.StopSignal}}]' nil
check_eq "none <nil> []" "$out"
check slipway inspect nil busybox
check_eq "[null,null,null,null]" "$(jq -c '[.[0].State.Health, .[0].SizeRw, .[1].Config.Shell, .[1].Config.ExposedPorts]' <<<"$out")"
check_lacks "$out" '"Health"'
check slipway ps -a --format '{{split "bb" "b"}}'
check_eq "[  ]" "$out"
# Rows as JSON are sorted by their keys.
check slipway ps -a --format '{{json .}}'
check_eq "$(jq -S -c . <<<"$out")" "$(jq -c . <<<"$out")" "row as JSON"
check slipway images --format json
check_eq "$(jq -S -c . <<<"$out")" "$(jq -c . <<<"$out")" "row as JSON"

# wait does not wait for a container that has never run.
check slipway wait nil
check_eq 0 "$out"
# A terminal that is none, and what only the daemon would have refused.
check_fails 1 "the input device is not a TTY" slipway run --rm -it busybox true
check_fails 1 "Minimum memory limit allowed is 6MB" slipway create -m 1m busybox
check_fails 125 "Minimum memory limit allowed is 6MB" slipway run -m 1m busybox
check_fails 1 "invalid restart policy" slipway update --restart nope nil
check_fails 1 "invalid capability" slipway create --cap-add NOPE busybox
check_fails 1 "Nano CPUs and CPU Quota" slipway update --cpus 1 --cpu-quota 10000 nil
check_fails 1 "failed to parse value as time or duration" slipway logs --since soon nil
check_fails 1 "failed to parse value as time or duration" slipway events --since soon
# --force makes a missing image no error, but says so.
check slipway rmi -f nope
check_contains "$err" "No such image: nope"

# stats calls a container as the user does.
check slipway stats --no-stream --format '{{.Container}} {{.Name}} {{.PIDs}}' nil
check_eq "nil nil 0" "$out"
# Who shares another's network has its host name.
check slipway run -d --name host -h called busybox sleep 1000
check slipway run --rm --network container:host busybox hostname
check_eq called "$out"
check slipway rm -f host
check slipway history --human=false --format '{{.CreatedSince}}' busybox
case $out in 20??-??-??T??:??:??Z) ;; *) fail "time in history: $out" ;; esac
check slipway info --format '{{.Swarm.LocalNodeState}} {{.MemoryLimit}} {{.LoggingDriver}}'
check_eq "inactive true json-file" "$out"
check slipway version --format '{{.Client.APIVersion}} {{.Server.Os}}'
check_contains "$out" linux
