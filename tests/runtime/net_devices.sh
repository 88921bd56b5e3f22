#!/bin/bash
# linux.netDevices: devices of the host become the container's, with their addresses.
# labels: root
# timeout: 60
. "$SOURCE/tests/lib/common.sh"
require_root
require_command ip
# A network of the test's own: what it makes in it ends with it.
[ -n "${OWN_NETWORK:-}" ] || exec env OWN_NETWORK=1 unshare --net "$0"

device=host0
add_device() {
  local tries=50
  # The one before may still be on its way out, with the namespace that it was in.
  while ip link show other0 >/dev/null 2>&1 && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done
  ip link add "$device" type dummy 2>/dev/null || ip link add "$device" type veth peer name other0 2>/dev/null ||
    skip "no virtual network devices here"
}
add_device

bundle=$TMPDIR/b
make_bundle "$bundle" sh -c 'ip addr show eth7'
ip addr add 192.0.2.7/24 brd + dev "$device"
ip addr add 2001:db8::7/64 dev "$device" nodad
edit_config "$bundle" ".linux.netDevices = {\"$device\": {\"name\": \"eth7\"}}"
check slip run --bundle "$bundle" "$(new_id)"
check_contains "$out" "192.0.2.7/24 brd 192.0.2.255"
check_contains "$out" "2001:db8::7/64"
check_contains "$out" "UP"
wait_for 5 sh -c "! ip link show '$device'"  # a virtual one ends with its namespace

# Its own name, and a namespace that is joined.
add_device
unshare --net sleep 100 &
holder=$!
trap 'kill $holder' EXIT
wait_for 5 sh -c "[ \"\$(readlink /proc/$holder/ns/net)\" != \"$(readlink /proc/self/ns/net)\" ]"
edit_config "$bundle" ".linux.netDevices = {\"$device\": {}} | .process.args[2] = \"ip link show $device\" |
  .linux.namespaces |= map(if .type == \"network\" then .path = \"/proc/$holder/ns/net\" else . end)"
check slip run --bundle "$bundle" "$(new_id)"
check_contains "$out" "$device"
nsenter --net="/proc/$holder/ns/net" ip link show "$device" >/dev/null

check_fails 1 "linux.netDevices: no network device \`$device\`" slip run --bundle "$bundle" "$(new_id)"
edit_config "$bundle" '.linux.netDevices = {"lo": {"name": "x"}}'
check_fails 1 'linux.netDevices: `lo` is the loopback device' slip run --bundle "$bundle" "$(new_id)"
check_eq "" "$(slip list -q)"
