#!/bin/bash
# labels: root cgroup
# timeout: 120
# commit, export: a container's state becomes an image, with exactly its changes; export flattens.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command jq
busybox_image base
root=$TMPDIR/slipway

# Deletions, replaced kinds, links, modes and times.
check slipway run --name c1 base sh -c 'mkdir -p /data/sub; echo new >/data/sub/file; ln /data/sub/file /data/hard
  ln -s file /data/sub/link; chmod 1777 /data; rm /etc/group; rm -r /home; echo x >/home; mkfifo /data/pipe
  printf "%01000000d" 0 >/data/large; rm -r /var; mkdir /var; touch -d "2001-02-03 04:05:06" /data/sub'
check slipway commit -a 'An Author' -m 'a message' -c 'ENV MORE=1' -c 'CMD ["cat", "/data/sub/file"]' c1 derived:1
id=$out
[[ $id =~ ^sha256:[0-9a-f]{64}$ ]] || fail "not an ID: $id"
check slipway run --rm derived:1
check_eq new "$out"
check slipway run --rm derived:1 sh -c '[ ! -e /etc/group ] && [ -f /home ] && [ -d /var ] && stat -c "%h %a" /data/hard && readlink /data/sub/link && [ -p /data/pipe ] && stat -c "%a %Y" /data /data/sub && wc -c </data/large && echo $MORE'
check_eq $'2 644\nfile\n1777 '"$(slipway run --rm derived:1 stat -c %Y /data)"$'\n755 981173106\n1000000\n1' "$out"

# History, parent and metadata.
check slipway image inspect -f '{{.Author}} {{.Comment}} {{len .RootFS.Layers}}' derived:1
check_eq 'An Author a message 2' "$out"
check slipway image inspect -f '{{.Parent}}' derived:1
check_eq "$(slipway images -q --no-trunc base)" "$out"
check slipway history --format '{{.ID}}' --no-trunc derived:1
check_eq "$id"$'\n'"$(slipway images -q --no-trunc base)" "$out"
check_fails 1 "dependent child images" slipway rmi -f "$(slipway images -q --no-trunc base)"

# The layer has nothing but the changes.
layer=$(jq -r '.layers[1].digest' "$root/content/blobs/sha256/$(jq -r .manifest "$root/images/${id#sha256:}" | cut -d: -f2)")
tar -tf "$root/content/blobs/sha256/${layer#sha256:}" | sort >"$TMPDIR/list"
printf '%s\n' data/ data/hard data/large data/pipe data/sub/ data/sub/file data/sub/link etc/ etc/.wh.group home |
  sort >"$TMPDIR/want"
diff "$TMPDIR/want" "$TMPDIR/list" || fail "the layer is not just the changes"

# The same changes again are the same layer; no changes are no layer.
check slipway commit c1 again
check_eq "$(slipway image inspect -f '{{json .RootFS.Layers}}' derived:1)" \
  "$(slipway image inspect -f '{{json .RootFS.Layers}}' again)"
check slipway run --name c2 base true
check slipway commit c2 same
check_eq "$(slipway image inspect -f '{{json .RootFS.Layers}}' base)" \
  "$(slipway image inspect -f '{{json .RootFS.Layers}}' same)"

# A running container: paused meanwhile, and running again.
check slipway run -d --name c3 base sh -c 'echo 1 >/state; while :; do sleep 1; done'
wait_for 10 sh -c "'$SLIPWAY' --root '$root' --run-root '$TMPDIR/slipway-run' diff c3 | grep -q /state"
check slipway commit c3 live
check slipway ps --format '{{.Names}} {{.State}}'
check_eq "c3 running" "$out"
check slipway run --rm live cat /state
check_eq 1 "$out"

# export: one tree, no metadata; import makes an image of one layer of it.
check slipway export -o "$TMPDIR/c1.tar" c1
slipway export c3 | tar -t >"$TMPDIR/c3.list"
grep -qx state "$TMPDIR/c3.list" || fail "export of a running container lacks its file"
check slipway import "$TMPDIR/c1.tar" flat
check slipway run --rm flat cat /data/hard
check_eq new "$out"
check slipway history -q flat
check_eq 1 "$(wc -l <<<"$out")"
check slipway rm -f c3
check_fails 1 "No such container" slipway commit none
check_fails 1 "No such container" slipway export -o "$TMPDIR/none" none
[ ! -e "$TMPDIR/none" ] || fail "a failed export left a file"

# An image without /etc: the files that are mounted there, and their directory, are none of the container's changes.
mkdir -p "$TMPDIR/bare/bin"
cp "$BUSYBOX" "$TMPDIR/bare/bin/sh"
check slipway import "$TMPDIR/bare" bare
check slipway run --name bare bare /bin/sh -c 'echo x >/x'
check slipway diff bare
check_eq "A /x" "$out"

# A volume without a name is the container's, and the image's that is made of it; one that has a name is nobody's.
check slipway run --name volumes -v /data -v named:/named bare /bin/sh -c true
check_eq '{"/data":{}}' "$(slipway inspect -f '{{json .Config.Volumes}}' volumes)"
check slipway commit volumes volumes
check_eq '{"/data":{}}' "$(slipway inspect -f '{{json .Config.Volumes}}' volumes:latest)"
check slipway create --name inherits volumes
check_eq /data "$(slipway inspect -f '{{range .Mounts}}{{.Destination}}{{end}}' inherits)"
