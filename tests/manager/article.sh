#!/bin/bash
# labels: root cgroup
# timeout: 120
# The classic walk through images, layers and containers, verb by verb, with what it says of each.
. "$SOURCE/tests/lib/common.sh"
require_root
require_command jq
busybox_image busybox
store=$TMPDIR/slipway
image=$(slipway images -q --no-trunc busybox)
layers() { slipway image inspect -f '{{join .RootFS.Layers " "}}' "$1"; }
lowers() { slipway inspect -f '{{.GraphDriver.Data.LowerDir}}' "$1"; }

# create: an image is a stack of read-only layers; a container is that and one layer to write to. It does not run.
id=$(slipway create --name walker busybox touch /happiness.txt)
check_eq "$image" "$(slipway inspect -f '{{.Image}}' walker)"
check_eq created "$(slipway inspect -f '{{.State.Status}}' walker)"
check_eq '' "$(slipway ps -q)" 'ps after create'
check_contains "$(slipway ps -a --format '{{.Names}} {{.Status}}')" 'walker Created'
upper=$(slipway inspect -f '{{.GraphDriver.Data.UpperDir}}' walker)
check_eq '' "$(ls -A "$upper")" 'the read-write layer after create'
check_eq 'diff link lower merged work' "$(ls "$store/overlay2/$id" | paste -sd ' ')" "docker's layout"
check_eq "../$id/diff" "$(readlink "$store/overlay2/l/$(cat "$store/overlay2/$id/link")")" 'the short name'
# Each layer has metadata and a pointer to its parent. (This one has none below it.)
check_eq 1 "$(slipway image inspect -f '{{len .RootFS.Layers}}' busybox)"
check_eq '' "$(cat "$store"/graph/*/json | jq -r '.parent // ""')" 'parent of the only layer'

# start: a process space of its own around it. What it writes is in its layer, on the host's disk, after it has stopped.
check slipway start -a walker
check_contains "$(slipway ps -a --format '{{.Names}} {{.Status}}')" 'walker Exited (0)'
check_eq '' "$(slipway ps -q)" 'ps shows what runs'
[ -f "$upper/happiness.txt" ] || fail 'the file is not in the diff directory of the driver'
check_eq 1 "$(find "$store/overlay2/$id" -name happiness.txt | wc -l)"
check_eq 'A /happiness.txt' "$(slipway diff walker)"

# run is create and start. Containers of an image share its layers, and not each other's; the image has not changed.
check slipway run -d --name runner busybox sleep 100
check_contains "$(slipway ps)" runner
check_eq "$(lowers walker)" "$(lowers runner)" 'layers below two containers of one image'
[ "$upper" != "$(slipway inspect -f '{{.GraphDriver.Data.UpperDir}}' runner)" ] || fail 'two containers write into one layer'
check_fails 1 '' slipway exec runner ls /happiness.txt
check_eq 1 "$(find "$store/overlay2" -path '*/diff/bin/busybox' | wc -l)" 'copies of a file of the image'

# images and images -a: the top-level images, and all that they were made from.
printf 'FROM busybox\nRUN echo one >/one\nRUN echo two >/two\nCMD ["cat", "/two"]\n' >"$TMPDIR/Dockerfile"
check slipway build -t built -f "$TMPDIR/Dockerfile" "$TMPDIR"
check_eq two "$(slipway run --rm built)"
check_eq 2 "$(slipway images -q | wc -l)" 'images'
check_eq 4 "$(slipway images -aq | wc -l)" 'images -a'
check_eq 2 "$(slipway images -a | grep -c '<none> *<none>')" 'intermediate images'
check_contains "$(layers built)" "$(layers busybox)" 'the layers of the image that it was built from'
check_eq 3 "$(layers built | wc -w)"
# Each image has the one before as its parent, down to busybox.
parent=built
for step in 1 2 3; do parent=$(slipway image inspect -f '{{.Parent}}' "$parent"); done
check_eq "$image" "$parent" 'parent of the parent of the parent'
# history: one line for each, newest first, each with an ID here.
check_eq 'CMD ["cat" "/two"]' "$(slipway history --no-trunc --format '{{.CreatedBy}}' built | sed -n 's/.*\(CMD .*\)/\1/p')"
check_eq 4 "$(slipway history -q built | wc -l)"
check_lacks "$(slipway history built)" '<missing>'

# stop: SIGTERM, and SIGKILL when it is still there. kill: SIGKILL at once, or any other signal.
check slipway run -d --name polite busybox sh -c 'trap "exit 4" TERM; while :; do sleep 0.05; done'
sleep 0.3
check slipway stop polite
check_eq 4 "$(slipway inspect -f '{{.State.ExitCode}}' polite)" 'exit code after stop'
check slipway start polite
sleep 0.3
check slipway kill polite
check_eq 137 "$(slipway inspect -f '{{.State.ExitCode}}' polite)" 'exit code after kill'
check slipway stop -t 0 runner
check_eq 137 "$(slipway inspect -f '{{.State.ExitCode}}' runner)" 'exit code after a stop that had to kill'
check slipway rm polite

# pause: the processes are there, and do not move.
check slipway run -d --name counter busybox sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/count; sleep 0.01; done'
count=$(slipway inspect -f '{{.GraphDriver.Data.UpperDir}}' counter)/count
wait_for 5 test -s "$count"
check slipway pause counter
check_contains "$(slipway ps --format '{{.Names}} {{.Status}}')" '(Paused)'
before=$(cat "$count")
sleep 0.5
check_eq "$before" "$(cat "$count")" 'what a paused process has done'
check_contains "$(slipway top counter)" 'sh -c'
check slipway unpause counter
moves() { [ "$(cat "$count")" != "$before" ]; }
wait_for 5 moves

# rm: refuses what runs; takes the read-write layer away, and not the image's.
check_fails 1 'You cannot remove a running container' slipway rm counter
check slipway rm -f counter
[ ! -e "${count%/diff/count}" ] || fail 'the layer is still there'

# exec: one more process in the container's space.
check slipway start runner
check_eq "$(slipway exec runner readlink /proc/1/ns/pid)" "$(slipway exec runner readlink /proc/self/ns/pid)"
check_contains "$(slipway exec runner ps)" 'sleep 100'
# inspect: the metadata of the top layer, of containers and of images.
check_eq 'running sleep' "$(slipway inspect -f '{{.State.Status}} {{.Path}}' runner)"
check_eq '["cat","/two"]' "$(slipway inspect -f '{{json .Config.Cmd}}' built)"

# commit: the read-write layer becomes a read-only one, and the container an image.
check slipway commit -m 'with a file' walker happy
check_eq "$(layers busybox)" "$(layers happy | cut -d' ' -f1)" 'the layers below are shared'
check_eq 2 "$(layers happy | wc -w)"
check_eq "$image" "$(slipway image inspect -f '{{.Parent}}' happy)" 'parent of a committed image'
check_eq '/happiness.txt' "$(slipway run --rm happy ls /happiness.txt)"
check_eq 'with a file' "$(slipway history --format '{{.Comment}}' happy | head -n 1)"
# The container's layer is its own still.
check slipway start -a walker

# save and load: all layers, all metadata, all of the history.
check slipway save -o "$TMPDIR/built.tar" built
history=$(slipway history --no-trunc --format '{{.CreatedBy}} {{.Size}}' built)
before=$(layers built)
built=$(slipway images -q --no-trunc built)
check slipway rmi built
check slipway load -i "$TMPDIR/built.tar"
check_eq "$built" "$(slipway images -q --no-trunc built)" 'ID after save and load'
check_eq "$before" "$(layers built)" 'layers after save and load'
check_eq "$history" "$(slipway history --no-trunc --format '{{.CreatedBy}} {{.Size}}' built)" 'history after save and load'
# What the steps were here has gone with them.
check_contains "$(slipway history built)" '<missing>'

# export and import: one tree, without metadata and history, in one layer.
check slipway export -o "$TMPDIR/walker.tar" walker
check_contains "$(tar -tf "$TMPDIR/walker.tar")" happiness.txt
check_lacks "$(tar -tf "$TMPDIR/walker.tar")" manifest.json
check slipway import "$TMPDIR/walker.tar" flat
check_eq 1 "$(layers flat | wc -w)" 'layers of an imported image'
check_eq 1 "$(slipway history -q flat | wc -l)" 'steps of an imported image'
check_eq null "$(slipway inspect -f '{{json .Config.Cmd}}' flat)" 'command of an imported image'
check_eq '' "$(slipway image inspect -f '{{.Parent}}' flat)" 'parent of an imported image'
check_eq /happiness.txt "$(slipway run --rm flat ls /happiness.txt)"

# rmi: names and layers, but not those that others need; -f for those that stopped containers use.
check_fails 1 'is using its referenced image' slipway rmi busybox
check slipway rm -f runner walker
check slipway tag happy also
check_eq 'Untagged: also:latest' "$(slipway rmi also)"
check_contains "$(slipway rmi built)" 'Deleted: sha256:'
check_eq '/happiness.txt' "$(slipway run --rm happy ls /happiness.txt)" 'an image whose sister is gone'
check slipway create --name user flat true
check_fails 1 'must force' slipway rmi flat
check slipway rmi -f flat
check slipway rm user
check slipway rmi happy
check slipway rmi busybox
check_eq '' "$(slipway images -aq)" 'images left'
check_eq '' "$(slipway ps -aq)" 'containers left'
check_eq 0 "$(find "$store/overlay2" -maxdepth 1 -type d -name '????????????????????????????????????????????????????????????????' | wc -l)" 'layers left'
