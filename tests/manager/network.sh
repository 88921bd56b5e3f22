#!/bin/bash
# labels: root
# timeout: 120
# Bridge networks through netavark (NETWORK_BACKEND=cni: the CNI plugins), in a network namespace that stands for the host.
. "$SOURCE/tests/lib/common.sh"
require_root
backend=${NETWORK_BACKEND:-netavark}
if [ "$backend" = cni ]; then
  [ -x /usr/lib/cni/bridge ] || [ -x /usr/libexec/cni/bridge ] || skip "no CNI plugins"
  echo '{"network-backend": "cni"}' >"$TMPDIR/config.json"
  export SLIPWAY_CONFIG=$TMPDIR/config.json
else
  [ -x /usr/lib/podman/netavark ] || [ -x /usr/libexec/podman/netavark ] || skip "no netavark"
fi
if [ "${1:-}" != --inside ]; then
  unshare --net true 2>/dev/null || skip "no network namespaces"
  exec unshare --net "$0" --inside
fi
require_command iptables ip
ip link set lo up
busybox_image busybox
# The name server of user networks is a daemon: it ends with the last container, or here.
trap 'pkill -f "aardvark-dns --config $TMPDIR/" || true' EXIT

check slipway info --format '{{.NetworkBackend}}'
check_eq "$backend" "$out"

echo '{"network-backend": "pigeons"}' >"$TMPDIR/wrong.json"
SLIPWAY_CONFIG=$TMPDIR/wrong.json check_fails 125 'network-backend: `pigeons` is not known' \
  slipway run --rm --network bridge busybox true

# Alone, without a word.
check slipway run --rm busybox ip addr
check_lacks "$out" eth0

# A network with names and addresses.
check slipway network create --subnet 10.77.0.0/24 --label a=b net1
check slipway network ls --format '{{.Name}} {{.Driver}}'
check_contains "$out" "net1 bridge"
check_contains "$out" "bridge bridge"
check_fails 1 "network with name net1 already exists" slipway network create net1
check_fails 1 "Pool overlaps" slipway network create --subnet 10.77.0.128/25 net2
check_fails 125 "network nope not found" slipway run --network nope busybox true

check slipway run -d --name server --network net1 --ip 10.77.0.9 --network-alias web -p 18080:80 busybox \
  sh -c 'echo hello >/index.html; httpd -f -p 80 -h /'
check slipway inspect -f '{{.NetworkSettings.Networks.net1.IPAddress}} {{.NetworkSettings.IPAddress}}' server
check_eq "10.77.0.9 10.77.0.9" "$out"
check slipway port server
check_eq "80/tcp -> 0.0.0.0:18080" "$out"
check slipway ps --format '{{.Ports}} {{.Networks}}'
check_eq "0.0.0.0:18080->80/tcp net1" "$out"
# By the host's port, and by the container's.
check_eq server "$(slipway ps --filter publish=18000-18100 --format '{{.Names}}')"
check_eq "" "$(slipway ps --filter publish=80 --format '{{.Names}}')"
check_eq server "$(slipway ps --filter expose=80/tcp --format '{{.Names}}')"
check slipway inspect -f '{{.NetworkSettings.Networks.net1.IPAMConfig.IPv4Address}}' server
check_eq 10.77.0.9 "$out"
# By a network that it has been connected to later, too.
check slipway network create --subnet 10.75.0.0/24 --ip-range 10.75.0.64/26 later
check slipway network connect later server
check_eq server "$(slipway ps --filter network=later --format '{{.Names}}')"
check_eq "" "$(slipway ps -a --filter network=none --format '{{.Names}}')"
check slipway inspect -f '{{.NetworkSettings.Networks.later.IPAddress}}' server
check_eq 10.75.0.64 "$out"
check slipway network disconnect later server
check slipway network rm later
check slipway run --rm --network net1 --add-host here:host-gateway busybox grep here /etc/hosts
check_eq $'10.77.0.1\there' "$out"
wait_for 10 wget -q -O "$TMPDIR/page" http://10.77.0.9/index.html
check_eq hello "$(cat "$TMPDIR/page")"
check wget -q -O - http://127.0.0.1:18080/index.html
check_eq hello "$out"
check slipway run --rm --network net1 busybox wget -q -O - http://10.77.0.9/index.html
check_eq hello "$out"
check slipway exec server cat /etc/hosts
check_contains "$out" "10.77.0.9"
if [ "$backend" = netavark ] && [ -x /usr/lib/podman/aardvark-dns ]; then
  # From its first moment a container knows the names, and the name server knows it.
  for name in server web server web server web; do
    check slipway run --rm --network net1 busybox wget -q -O - "http://$name/index.html"
    check_eq hello "$out"
  done
fi

check slipway exec server ip route
check_contains "$out" "default via 10.77.0.1"

# docker's long form, also of several networks: each with addresses and names of its own.
check slipway network create --subnet 10.76.0.0/24 net2
check slipway run -d --name long --network name=net1,ip=10.77.0.20,alias=one,alias=uno \
  --network name=net2,ip=10.76.0.20,mac-address=02:00:00:00:00:20 busybox sleep 1000
check slipway exec long ip addr show eth0
check_contains "$out" 10.77.0.20/24
check slipway exec long ip addr show eth1
check_contains "$out" 10.76.0.20/24
check_contains "$out" 02:00:00:00:00:20
check slipway inspect -f '{{json .NetworkSettings.Networks.net1.Aliases}} {{json .NetworkSettings.Networks.net2.Aliases}}' long
check_contains "$out" '["one","uno"'
check_lacks "${out#* }" one
if [ "$backend" = netavark ] && [ -x /usr/lib/podman/aardvark-dns ]; then
  check slipway run --rm --network net1 busybox nslookup uno
  check_contains "$out" 10.77.0.20
fi
check slipway rm -f long
check slipway network rm net2

# Of docker's options the size of packets, and those that say what is so anyway.
check slipway network create --scope local --ipam-driver default -o com.docker.network.driver.mtu=1400 \
  -o com.docker.network.bridge.enable_icc=true small
check slipway run --rm --network small busybox cat /sys/class/net/eth0/mtu
check_eq 1400 "$out"
check slipway network rm small
check_fails 125 'invalid MTU "lots"' slipway network create -o com.docker.network.driver.mtu=lots bad
check_fails 1 "enable_icc=false\" is not supported" slipway network create -o com.docker.network.bridge.enable_icc=false bad
check_fails 1 "--ipv6 is not supported" slipway network create --ipv6 bad
check_fails 1 "--scope: only local is supported" slipway network create --scope swarm bad

# Without a way out, and with an address on the link that is given.
check slipway network create --internal --subnet 10.78.0.0/24 inner
check slipway run --rm --network inner --mac-address 02:00:00:00:00:09 busybox sh -c 'ip route; ip link show eth0'
check_lacks "$out" default
check_contains "$out" 02:00:00:00:00:09
check slipway network rm inner

# What is taken is refused, and nothing is left of the attempt.
check_fails 125 "port is already allocated" slipway run --name second -p 18080:80 busybox true
check slipway rm second
check_fails 125 "Address already in use" slipway run --name third --network net1 --ip 10.77.0.9 busybox true
check slipway rm third
check_fails 1 "has active endpoints" slipway network rm net1

# A port of the host's choice, and all exposed ones.
check slipway run -d --name any -P --expose 81 -p 82 busybox sleep 1000
check slipway port any 82
case $out in 0.0.0.0:*) ;; *) fail "port of the host's choice: $out" ;; esac
check slipway port any 81
check slipway rm -f any

# The first free port of a range for one port of the container; ranges of one length map one to one.
check slipway run -d --name first -p 18100-18102:80 busybox sleep 1000
check slipway run -d --name other -p 18100-18102:80 -p 18110-18111:90-91 --expose 95-96 busybox sleep 1000
check_eq "80/tcp -> 0.0.0.0:18100" "$(slipway port first)"
check slipway ps --format '{{.Ports}}' -f name=other
check_eq "95-96/tcp, 0.0.0.0:18101->80/tcp, 0.0.0.0:18110->90/tcp, 0.0.0.0:18111->91/tcp" "$out"
check slipway inspect -f '{{(index .HostConfig.PortBindings "80/tcp" 0).HostPort}}' other
check_eq 18100-18102 "$out"
check_fails 125 "all ports are allocated" slipway run --name third -p 18100-18101:80 busybox true
check_eq "" "$(slipway port third)" "ports of a container that does not run"
check_fails 125 "invalid ranges specified for container and host Ports: 80-81 and 18100-18102" \
  slipway run -p 18100-18102:80-81 busybox true
check slipway rm -f first other third

# connect and disconnect while it runs.
check slipway network create net3
check slipway network connect --alias friend net3 server
check slipway exec server ip addr show eth1
check slipway network inspect -f '{{len .Containers}}' net3
check_eq 1 "$out"
check slipway network disconnect net3 server
check_fails 1 "is not connected" slipway network disconnect net3 server
check slipway network rm net3

# The end takes everything along: interfaces, rules, leases.
id=$(slipway inspect -f '{{.Id}}' server)
check slipway rm -f server
check slipway events --since 10m --until 0s -f type=network --format \
  '{{if eq .Actor.Attributes.container "'"$id"'"}}{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}} {{end}}'
check_eq "connect net1 bridge connect later bridge disconnect later bridge connect net3 bridge disconnect net3 bridge disconnect net1 bridge" "$(xargs <<<"$out")" "events"
check_eq "" "$(ip -o link show type veth)" "interfaces left"
check_lacks "$(iptables -t nat -S)" 18080 "rules left"
check_eq "" "$(ls "$TMPDIR/slipway-run/attached")" "sessions left"

# A monitor that is killed cannot do that: the next command does.
check slipway run -d --name killed -p 18081:80 busybox sleep 1000
pid=$("$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" inspect -f '{{.State.Pid}}' killed)
monitor=$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")
kill -9 "$monitor"
kill -9 "$pid" 2>/dev/null || true
wait_for 10 test ! -d "/proc/$pid"
check_contains "$(iptables -t nat -S)" 18081
check slipway run --rm --network bridge busybox true
check_lacks "$(iptables -t nat -S)" 18081 "rules left by a killed monitor"
check slipway rm -f killed
check slipway network prune -f
check_contains "$out" net1
