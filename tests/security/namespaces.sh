#!/bin/bash
# Namespaces that are joined are of the right type; the caller's session keyring stays outside; init cannot be looked
# into before it has executed its program.
# labels: root cgroup
# timeout: 120
. "$SOURCE/tests/lib/common.sh"
require_root

bundle=$TMPDIR/b
make_bundle "$bundle" sleep 1000
id=$(new_id)
own=$(cat "$bundle/config.json")

set_path() { # TYPE PATH
  echo "$own" | jq '.linux.namespaces |= map(if .type == $t then .path = $p else . end) | del(.hostname)' \
    --arg t "$1" --arg p "$2" >"$bundle/config.json"
}
set_path network /proc/self/ns/uts
check_fails 1 "namespace of another type" slip run --bundle "$bundle" "$id"
set_path uts /etc/passwd
check_fails 1 "is not a namespace" slip run --bundle "$bundle" "$id"
set_path pid /dev/zero
check_fails 1 "is not a namespace" slip run --bundle "$bundle" "$id"
set_path ipc /no/such/file
check_fails 1 "No such file" slip run --bundle "$bundle" "$id"
check_eq "" "$(slip list -q 2>/dev/null || true)"

# joined by path
echo "$own" >"$bundle/config.json"
check slip run --detach --bundle "$bundle" "$id"
pid=$(slip state "$id" | jq .pid)
for pair in network:net uts:uts ipc:ipc pid:pid; do
  set_path "${pair%:*}" "/proc/$pid/ns/${pair#*:}"
  jq '.process.args = ["readlink", "/proc/self/ns/'"${pair#*:}"'"]' "$bundle/config.json" >"$bundle/new"
  mv "$bundle/new" "$bundle/config.json"
  check slip run --bundle "$bundle" "$id-2"
  check_eq "$(readlink "/proc/$pid/ns/${pair#*:}")" "$out" "joined ${pair%:*}"
done

# A container that waits in another's pid namespace: its memory, root and descriptors are out of that one's reach.
set_path pid "/proc/$pid/ns/pid"
check slip create --bundle "$bundle" "$id-2"
second=$(slip state "$id-2" | jq .pid)
inside=$(awk '/^NSpid:/ { print $NF }' "/proc/$second/status")
check slip exec --user 0 "$id" sh -c "for f in root cwd exe fd/0 mem environ maps; do
    cat /proc/$inside/\$f >/dev/null 2>&1 && echo open \$f; ls /proc/$inside/\$f/ >/dev/null 2>&1 && echo listed \$f; done; true"
check_eq "" "$(grep -v '^open maps\|^open environ' <<<"$out" || true)" "what the neighbour may read of a process that waits"
check slip delete --force "$id-2"

# keyring
if grep -q . /proc/keys 2>/dev/null; then
  check slip exec "$id" sh -c 'cat /proc/keys 2>/dev/null || true'
  echo "$own" | jq '.process.args = ["cat", "/proc/keys"] | del(.linux.maskedPaths)' >"$bundle/config.json"
  check slip run --bundle "$bundle" "$id-3"
  check_contains "$out" "_ses.$id-3" "the session keyring"
  # exec joins that keyring, not the caller's.
  echo "$own" | jq 'del(.linux.maskedPaths)' >"$bundle/config.json"
  check slip run --detach --bundle "$bundle" "$id-4"
  check slip exec "$id-4" sh -c 'grep "keyring *_ses" /proc/keys'
  check_contains "$out" "_ses.$id-4" "the session keyring of exec"
  check slip delete --force "$id-4"
fi
check slip delete --force "$id"

# Maps beside a user namespace that is joined: they are that one's, or they are refused.
maps='.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 5}, {containerID: 5, hostID: 200005, size: 60000}]
  | .linux.gidMappings = [{containerID: 0, hostID: 300000, size: 65536}]'
echo "$own" | jq ".linux.namespaces += [{type: \"user\"}] | $maps" >"$bundle/config.json"
chmod 711 "$bundle" "$TMPDIR"
check slip run --detach --bundle "$bundle" "$id"
path=/proc/$(slip state "$id" | jq .pid)/ns/user
joining() { # FILTER
  echo "$own" | jq ".linux.namespaces += [{type: \"user\", path: \"$path\"}] | .process.args = [\"cat\", \"/proc/self/uid_map\"] | $1" >"$bundle/config.json"
}
joining .
check slip run --bundle "$bundle" "$id-2"
joining "$maps | .linux.uidMappings |= reverse"
check slip run --bundle "$bundle" "$id-2"
check_eq "0 100000 5 5 200005 60000" "$(xargs <<<"$out")" "uid_map"
for property in uidMappings gidMappings; do
  joining "$maps | .linux.${property}[0].hostID += 1"
  check_fails 1 "linux.$property: the user namespace \`$path\` that is to be joined has others" slip run --bundle "$bundle" "$id-2"
done
check slip delete --force "$id"
