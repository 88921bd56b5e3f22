#!/bin/bash
# labels: root cgroup
# timeout: 120
# `prune` of all kinds with its filters, `system df`, and the events of images, volumes and networks.
. "$SOURCE/tests/lib/common.sh"
require_root
busybox_image busybox
started=$(date +%s)

names() { slipway ps -a --format '{{.Names}}' | sort | xargs; }
for name in one two three; do slipway create --name $name --label "who=$name" busybox true >/dev/null; done
check slipway container prune -f --filter until=1h
check_eq "Total reclaimed space: 0B" "$out"
check slipway container prune -f --filter label=who=one
check_contains "$out" "Deleted Containers:"
check_eq "three two" "$(names)" "containers"
check slipway container prune -f --filter 'label!=who=two'
check_eq two "$(names)" "containers"
check_fails 1 "invalid filter 'nope'" slipway container prune -f --filter nope=1
check_fails 1 "failed to parse value as time or duration" slipway container prune -f --filter until=soon

# Volumes: those without a name, or all that nobody uses.
check slipway volume create --label keep named
check slipway volume create ''
anonymous=$out
check slipway create --name user -v used:/v busybox true
check slipway volume ls --format '{{.Name}} {{.Links}} {{.Size}}' --filter name=named
check_eq "named N/A N/A" "$out"
check slipway volume prune -f --filter 'label!=keep'
check_contains "$out" "Deleted Volumes:"$'\n'"$anonymous"
check slipway volume prune -f --filter all=1 --filter label=other
check_eq "Total reclaimed space: 0B" "$out"
check slipway volume prune -f -a
check_eq used "$(slipway volume ls -q)" "volumes"

# Networks: those that no container names.
check slipway network create --label keep kept
check slipway network create loose
check slipway network create taken
check slipway create --name member --network taken busybox true
check slipway network ls --filter dangling=true --format '{{.Name}} {{.Label "keep"}} {{.IPv6}}'
check_eq "kept  false"$'\n'"loose  false" "$out"
check slipway network ls --filter dangling=false --filter scope=local --format '{{.Name}}'
check_eq taken "$out"
check slipway network prune -f --filter until=1h
check_eq "" "$out"
check slipway network prune -f --filter 'label!=keep'
check_eq "Deleted Networks:"$'\n'loose "$out"

# Images: those without a name; with dangling=false all that no container uses.
check slipway tag busybox other
check slipway image prune -f --filter dangling=true
check_eq "Total reclaimed space: 0B" "$out"
check slipway image prune -a -f --filter until=1h
check_eq "Total reclaimed space: 0B" "$out"
check slipway image prune -a -f --filter label=x
check_eq "Total reclaimed space: 0B" "$out"

check slipway system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'
check_eq "Images 1 1"$'\n'"Containers 3 0"$'\n'"Local Volumes 1 1"$'\n'"Build Cache 0 0" "$out"
check slipway system df -v
for part in "Images space usage:" "REPOSITORY   TAG       IMAGE ID" "Containers space usage:" "LOCAL VOLUMES" \
  "Local Volumes space usage:" "VOLUME NAME   LINKS     SIZE" "Build cache usage: 0B"; do
  check_contains "$out" "$part"
done
check_eq 3 "$(awk '$1 == "busybox" { print $NF }' <<<"$out")" "containers of the image"
check_eq 1 "$(awk '$1 == "used" { print $2 }' <<<"$out")" "containers that use the volume"

check_fails 1 'The "until" filter is not supported with "--volumes"' slipway system prune -f --volumes --filter until=1h
check slipway system prune -f
check_contains "$out" "Deleted Networks:"$'\n'kept
check_contains "$out" "taken"
check_eq "" "$(names)" "containers"
check_eq used "$(slipway volume ls -q)" "volumes"
check slipway image prune -f --filter dangling=false
check_contains "$out" "untagged: busybox:latest"
check_eq "" "$(slipway images -q)" "images"

# All of it is told.
events() { slipway events --since "$started" --until "$(($(date +%s) + 1))" --format '{{.Action}} {{.Actor.Attributes.name}}' "$@"; }
check_contains "$(events --filter type=image)" "tag other:latest"
check_contains "$(events --filter type=image)" "tag busybox:latest"$'\n'"import sha256:"
check_contains "$(events --filter type=image)" "delete sha256:"
for type in container volume network image; do
  check_contains "$(slipway events --since "$started" --until "$(($(date +%s) + 1))" --filter type=$type)" "$type prune  (reclaimed="
done
check_eq "create loose"$'\n'"destroy loose" "$(events --filter network=loose)" "events of a network"
check_contains "$(slipway events --since "$started" --until "$(date +%s)" --filter type=volume --filter event=destroy \
  --format '{{.Actor.ID}}')" "$anonymous"
