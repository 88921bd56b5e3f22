#!/bin/bash
# labels: root cgroup
# timeout: 90
# The classic walk through images, layers and containers, verb by verb.
. "$SOURCE/tests/lib/common.sh"
require_root
busybox_image busybox
image=$(slipway images -q --no-trunc busybox)

# An image is read-only layers; a container is an image and one layer to write to.
id=$(slipway create --name walker busybox touch /happiness.txt)
check_eq "$image" "$(slipway inspect -f '{{.Image}}' walker)"
check slipway start -a walker
check_contains "$(slipway ps -a --format '{{.Names}} {{.Status}}')" 'walker Exited (0)'
check_eq '' "$(slipway ps -q)"
# The file is in the container's layer, on the host's disk, after the container has stopped.
check_eq 1 "$(find "$TMPDIR/slipway/overlay2/$id" -name happiness.txt 2>/dev/null | wc -l)"
check_eq 'A /happiness.txt' "$(slipway diff walker)"

# run is create and start; containers of one image share its layers and not each other's.
check_eq "" "$(slipway run --rm busybox ls /happiness.txt 2>/dev/null || true)"
check slipway run -d --name runner busybox sleep 100
check_contains "$(slipway ps)" runner
check_fails 1 'You cannot remove a running container' slipway rm runner
check_fails 1 '' slipway rmi busybox
check slipway stop -t 0 runner
check slipway start runner
check slipway kill runner
check slipway rm runner

# inspect knows parents and layers.
check_eq 1 "$(slipway inspect busybox | jq '.[0].RootFS.Layers | length')"
check_contains "$(slipway images)" busybox
check slipway rm walker
[ ! -e "$TMPDIR/slipway/overlay2/$id" ] || fail 'the layer is still there'
check slipway rmi busybox
check_eq '' "$(slipway images -q)"
