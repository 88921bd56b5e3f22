#!/bin/bash
# Limits of config.json and of `update` in the control files, and back out when one is refused.
# labels: root cgroup
. "$SOURCE/tests/lib/common.sh"
require_root
require_command jq
require_cgroup memory
require_cgroup pids

id=$(new_id)
bundle=$TMPDIR/b
make_bundle "$bundle" /bin/sleep 1000
edit_config "$bundle" '.linux.cgroupsPath = $path | .linux.resources = {
    memory: {limit: 67108864, reservation: 33554432, disableOOMKiller: false},
    cpu: {shares: 512, quota: 50000, period: 100000},
    pids: {limit: 50},
    devices: [{allow: false, access: "rwm"}]}' --arg path "/$id"
cleanup() {
  slip delete --force "$id" >/dev/null 2>&1 || true
}
trap cleanup EXIT

check slip run -d --bundle "$bundle" --pid-file "$TMPDIR/pid" "$id"
pid=$(cat "$TMPDIR/pid")

# control V1-CONTROLLER V1-FILE V2-FILE
control() {
  local where=/sys/fs/cgroup/$1/$id
  if [ -d "$where" ]; then cat "$where/$2"; else cat "/sys/fs/cgroup/$id/$3"; fi
}
v2() {
  [ -e /sys/fs/cgroup/cgroup.controllers ]
}

# Every hierarchy that is mounted has the process in the container's cgroup.
while IFS=: read -r _ controllers path; do
  case $controllers in
    "") where=/sys/fs/cgroup$(v2 || echo /unified) ;;
    name=*) where=/sys/fs/cgroup/${controllers#name=} ;;
    *) where=/sys/fs/cgroup/$controllers ;;
  esac
  [ ! -e "$where/cgroup.procs" ] || check_eq "/$id" "$path" "cgroup of '$controllers'"
done <"/proc/$pid/cgroup"

check_eq 67108864 "$(control memory memory.limit_in_bytes memory.max)"
check_eq 33554432 "$(control memory memory.soft_limit_in_bytes memory.low)"
check_eq 50 "$(control pids pids.max pids.max)"
if v2; then
  check_eq 59 "$(control cpu - cpu.weight)"
  check_eq "50000 100000" "$(control cpu - cpu.max)"
else
  check_eq 512 "$(control cpu cpu.shares -)"
  check_eq 50000 "$(control cpu cpu.cfs_quota_us -)"
  check_contains "$(control devices devices.list -)" "c 1:3 rwm"
  check_lacks "$(control devices devices.list -)" "a *:*"
fi

# What is not named stays; suffixes; numbers; several at once.
check slip update --memory 128m --pids-limit 60 "$id"
check_eq "" "$out$err"
check_eq 134217728 "$(control memory memory.limit_in_bytes memory.max)"
check_eq 60 "$(control pids pids.max pids.max)"
check_eq 33554432 "$(control memory memory.soft_limit_in_bytes memory.low)"
check slip update --cpu-quota 20000 "$id"
check_eq 20000 "$(control cpu cpu.cfs_quota_us cpu.max | cut -d' ' -f1)"
check slip update --pids-limit -1 "$id"
check_eq max "$(control pids pids.max pids.max)"

# JSON from a file and from standard input, as engines send it; zeroes mean nothing.
echo '{"memory":{"limit":0,"swap":0},"pids":{"limit":70},"cpu":{"shares":0,"quota":0}}' >"$TMPDIR/r.json"
check slip update --resources="$TMPDIR/r.json" "$id"
check_eq 70 "$(control pids pids.max pids.max)"
check_eq 134217728 "$(control memory memory.limit_in_bytes memory.max)"
check slip update --resources - "$id" <<<'{"pids":{"limit":71}}'
check_eq 71 "$(control pids pids.max pids.max)"
check slip update --resources=- "$id" <<<'{"pids":{"limit":72}}'
check_eq 72 "$(control pids pids.max pids.max)"

# All or nothing: memory is written before the CPUs are refused.
check_fails 1 "linux.resources.cpu.cpus" slip update --memory 256m --cpuset-cpus 4000 "$id"
check_eq 134217728 "$(control memory memory.limit_in_bytes memory.max)"
check_fails 1 "memory" slip update --memory 12q "$id"
check_fails 1 "Intel RDT" slip update --l3-cache-schema "L3:0=1" "$id"
check_fails 1 "does not exist" slip update --memory 12m "$id-none"

# Kept: the container's own config.json has what holds.
check_eq "72 134217728 512" "$(jq -r '.linux.resources | "\(.pids.limit) \(.memory.limit) \(.cpu.shares)"' \
  "$TMPDIR/slip-run/$id/config.json")"

# A second container with the same cgroup is refused, and does not harm the first.
check_fails 1 "container's cgroup is not empty" slip run -d --bundle "$bundle" "$id-2"
kill -0 "$pid"

# A limit of 0 changes nothing in an update. In a bundle it is none before version 1.3 of the specification: podman 4 writes
# it for -1.
check slip update --pids-limit 0 "$id"
check slip update --resources - "$id" <<<'{"pids":{"limit":0}}'
check_eq 72 "$(control pids pids.max pids.max)"
for case in "1.0.2-dev max" "1.2.0 max" "1.3.0 0"; do
  check slip delete --force "$id"
  edit_config "$bundle" '.ociVersion = $version | .linux.resources.pids.limit = 0' --arg version "${case% *}"
  check slip run -d --bundle "$bundle" "$id"
  check_eq "${case#* }" "$(control pids pids.max pids.max)" "a limit of 0 in a bundle of version ${case% *}"
done

check slip delete --force "$id"
[ -z "$(find /sys/fs/cgroup -maxdepth 3 -name "$id*")" ] || fail "a cgroup is left"
check_fails 1 "does not exist" slip update --memory 12m "$id"
