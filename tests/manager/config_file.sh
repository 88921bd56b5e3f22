#!/bin/bash
# labels: root cgroup
# timeout: 60
# The config file: what it says holds, unless the environment or the command line says otherwise.
. "$SOURCE/tests/lib/common.sh"
require_root
export SLIPWAY_CONFIG=$TMPDIR/config.json
config() { # JSON
  printf '%s\n' "$1" >"$SLIPWAY_CONFIG"
}
config "{\"root\": \"$TMPDIR/configured\", \"run-root\": \"$TMPDIR/configured-run\", \"storage-driver\": \"vfs\"}"
check_eq "vfs $TMPDIR/configured" "$("$SLIPWAY" info --format '{{.Driver}} {{.DockerRootDir}}')"
check_eq overlay2 "$(SLIPWAY_ROOT=$TMPDIR/slipway SLIPWAY_STORAGE_DRIVER=overlay2 "$SLIPWAY" info --format '{{.Driver}}')"
check_eq overlay2 "$(slipway --storage-driver overlay2 info --format '{{.Driver}}')"

config '{"storage-driver": "overlay2", "storage-opts": ["overlay2.no-such=1"]}'
check_fails 1 no-such slipway info

config '{"storage-driver": "overlay2", "storage-opts": ["overlay2.mountopt=xino=off"]}'
check slipway info
check_contains "$out" " overlay2.mountopt: xino=off"

# The network of a container that names none.
config '{"storage-driver": "overlay2", "network": "host"}'
busybox_image busybox
slipway create --name default busybox true >/dev/null
check_eq host "$(slipway inspect --format '{{.HostConfig.NetworkMode}}' default)"
slipway create --name none --network none busybox true >/dev/null
check_eq none "$(slipway inspect --format '{{.HostConfig.NetworkMode}}' none)"

# What is wrong with it is said in one line.
for wrong in '{"no-such": 1}|"no-such": there is no such setting' '{"root": 1}|"root": must be a string' \
  '{"storage-opts": "x"}|must be an array of strings' '[]|must be a JSON object' '{"root": |config.json' \
  '{"storage-opts": ["x"]}|must be KEY=VALUE'; do
  config "${wrong%|*}"
  run slipway ps
  check_eq 1 "$([ "$status" -ne 0 ] && wc -l <<<"$err")" "${wrong%|*}"
  check_contains "$err" "${wrong#*|}"
done
: >"$SLIPWAY_CONFIG"
check slipway ps
rm "$SLIPWAY_CONFIG"
run slipway ps
check_contains "$err" "$SLIPWAY_CONFIG"
