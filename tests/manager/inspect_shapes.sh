#!/bin/bash
# labels: root
# timeout: 120
# What scripts take out of `inspect` and of lists, in the types and words of Debian's docker 20.10.
. "$SOURCE/tests/lib/common.sh"
require_root
busybox_image busybox

# Lines of what a template makes of an object.
shows() { # WANT ARGUMENT...
  local want=$1
  shift
  check slipway "$@"
  check_eq "$want" "$out" "$*"
}

check slipway create --name plain busybox true
shows '<nil>|map[]|map[]|map[]|[]|null|null|<nil>|[]' inspect -f \
  '{{.HostConfig.Init}}|{{.HostConfig.Tmpfs}}|{{.HostConfig.Sysctls}}|{{.HostConfig.StorageOpt}}|{{.HostConfig.Ulimits}}|{{json .HostConfig.Ulimits}}|{{json .Config.Env}}|{{.Config.StopTimeout}}|{{.HostConfig.Mounts}}' \
  plain
check slipway inspect plain
check_eq '[false,false,false,false]' "$(jq -c '[.[0].HostConfig | has("Init", "Tmpfs", "Mounts", "Sysctls")]' <<<"$out")"

# Durations, limits, mounts.
check slipway create --name full --health-cmd 'true' --health-interval 90s --ulimit nofile=100:200 --init -v volume:/volume \
  --mount type=tmpfs,dst=/memory,tmpfs-size=1m,tmpfs-mode=1770 --mount type=bind,src=/tmp,dst=/bind,readonly,bind-propagation=rslave \
  --mount src=named,dst=/named,volume-nocopy busybox true
shows '1m30s 0s 0 {[CMD-SHELL true] 1m30s 0s 0s 0}' inspect -f \
  '{{.Config.Healthcheck.Interval}} {{.Config.Healthcheck.Timeout}} {{.Config.Healthcheck.Retries}} {{.Config.Healthcheck}}' full
shows '{"Test":["CMD-SHELL","true"],"Interval":90000000000}' inspect -f '{{json .Config.Healthcheck}}' full
shows '[nofile=100:200] true' inspect -f '{{.HostConfig.Ulimits}} {{.HostConfig.Init}}' full
check slipway inspect -f '{{json .HostConfig.Mounts}}' full
check_eq '[{"Type":"tmpfs","Target":"/memory","TmpfsOptions":{"SizeBytes":1048576,"Mode":1016}},{"Type":"bind","Source":"/tmp","Target":"/bind","ReadOnly":true,"BindOptions":{"Propagation":"rslave"}},{"Type":"volume","Source":"named","Target":"/named","VolumeOptions":{"NoCopy":true}}]' "$out"
shows 'z' inspect -f '{{range .Mounts}}{{if eq .Destination "/volume"}}{{.Mode}}{{end}}{{end}}' full
check slipway run -d --name runs busybox sleep 1000
check slipway inspect -f '{{.NetworkSettings.SandboxKey}}' runs
check_eq "$(readlink "$out")" "$(slipway exec runs readlink /proc/1/ns/net)" "network namespace"

# Labels are sorted; a table knows its headers whatever is done with its fields.
check slipway create --name labels --label z=1 --label a --restart '' busybox true
shows 'a=,z=1' ps -a -f name=labels --format '{{.Labels}}'
shows '{"a":"","z":"1"}' inspect -f '{{json .Config.Labels}}' labels
check slipway ps -a -f name=labels --format 'table {{upper .Names}}\t{{.Label "z"}}\t{{json .Image}}'
check_eq $'NAMES     z         IMAGE\nLABELS    1         "busybox"' "$out"
check slipway run --name logger --label l=1 -e E=2 --log-opt labels=l --log-opt env=E busybox echo line
shows 'E=2,l=1 line' logs --details logger

# Images have what docker shows of their making; networks and volumes are found by their names, too.
shows '[] <nil> 0s' image inspect -f '{{.ContainerConfig.Cmd}} {{.Config.Healthcheck}} {{with .Config.Healthcheck}}{{else}}0s{{end}}' busybox
check slipway network create --attachable --subnet 10.99.0.0/24 --ip-range 10.99.0.128/25 net
shows 'net true {"Subnet":"10.99.0.0/24","IPRange":"10.99.0.128/25","Gateway":"10.99.0.1"} [] {10.99.0.0/24 10.99.0.128/25 10.99.0.1 map[]}' \
  inspect -f '{{.Name}} {{.Attachable}} {{json (index .IPAM.Config 0)}} {{.Peers}} {{index .IPAM.Config 0}}' net
check slipway network inspect -f '{{.Created}}' net
[[ $out =~ ^20[0-9]{2}-[0-9-]+\ [0-9:.]+\ \+0000\ UTC$ ]] || fail "time of a network: $out"
shows volume inspect -f '{{.Name}}' volume
shows bridge inspect --type network -f '{{.Name}}' bridge
check_fails 1 "No such network: nope" slipway network inspect nope
check_fails 1 "No such network: nope" slipway network rm nope
check_fails 1 "No such volume: nope" slipway volume inspect nope
check_fails 1 "every ip-range or gateway must have a corresponding subnet" slipway network create --ip-range 10.1.0.0/24 bad
check_fails 1 "no matching subnet for range" slipway network create --subnet 10.98.0.0/24 --ip-range 10.1.0.0/24 bad
shows net network ls --format '{{.Name}}' -f 'name=^n.t$'
shows $'named\nvolume' volume ls -q -f 'name=^(named|volume)$'
check slipway network rm net

# Templates that cannot be read have an exit status of their own.
check_fails 64 'template parsing error: function "nope" not defined' slipway inspect -f '{{nope}}' plain
shows 6869 inspect -f '{{printf "%x" "hi"}}' plain

# Filters that say nothing are refused.
check_fails 1 "invalid filter 'exited=x'" slipway ps -a -f exited=x
check_fails 1 "invalid filter 'health=x'" slipway ps -a -f health=x
check_fails 1 "invalid filter 'dangling=[x]'" slipway images -f dangling=x
check_fails 1 "invalid filter: 'type'='x'" slipway network ls -f type=x
shows '' ps -aq -f is-task=true

# Two images of one second are before and after each other.
for name in first second third; do
  check slipway commit plain "$name"
done
check_eq $'second\nthird' "$(slipway images --format '{{.Repository}}' -f since=first | sort)"
check_eq $'busybox\nfirst' "$(slipway images --format '{{.Repository}}' -f before=second | sort)"
check slipway image list -q third
check slipway image remove third
check slipway rm -f runs
