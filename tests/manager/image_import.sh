#!/bin/bash
# labels: root
# timeout: 60
# import: directories and archives of all compressions become images; other tools read the store.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command jq

tree=$TMPDIR/tree
mkdir -p "$tree/bin" "$tree/etc" "$tree/a/b"
echo hello >"$tree/etc/greeting"
ln -s ../etc/greeting "$tree/a/link"
ln "$tree/etc/greeting" "$tree/a/hard"
printf 'x' >"$tree/a/$(printf 'caf\xe9')" # not UTF-8
chmod 4755 "$tree/bin"
touch -d '2001-02-03 04:05:06.123456789' "$tree/a/b"

check slipway import "$tree" tree
id=$out
[[ $id =~ ^sha256:[0-9a-f]{64}$ ]] || fail "not an ID: $id"
check slipway images --no-trunc -q tree
check_eq "$id" "$out"
check slipway images --format '{{.Repository}}:{{.Tag}}'
check_eq tree:latest "$out"

# The same tree by way of tar, in every compression, is the same layer.
tar -C "$tree" --format=pax --xattrs -cf "$TMPDIR/tree.tar" .
for compress in cat gzip bzip2 xz zstd; do
  command -v $compress >/dev/null || continue
  $compress <"$TMPDIR/tree.tar" >"$TMPDIR/tree.$compress"
  check slipway import "$TMPDIR/tree.$compress" "by/$compress:1"
  slipway import - "stdin/$compress" <"$TMPDIR/tree.$compress" >/dev/null
done
root=$TMPDIR/slipway
layers=$(find "$root/graph" -name json | wc -l)
check_eq 2 "$layers" "layers (the tree's and tar's)"
for layer in "$root"/overlay2/*/diff; do
  [ -d "$layer" ] || continue
  check_eq hello "$(cat "$layer/etc/greeting")"
  check_eq ../etc/greeting "$(readlink "$layer/a/link")"
  check_eq 2 "$(stat -c %h "$layer/a/hard")"
  check_eq 4755 "$(stat -c %a "$layer/bin")"
  check_eq "$(stat -c %y "$tree/a/b")" "$(stat -c %y "$layer/a/b")"
  [ -f "$layer/a/$(printf 'caf\xe9')" ] || fail "the name that is not UTF-8 is lost"
done

# --change and --message.
check slipway import -c 'CMD ["/bin/x", "y"]' -c 'ENV A=1 B="two words"' -c 'EXPOSE 80 90/udp' -c 'LABEL k=v' \
  -c 'WORKDIR /a/b' -c 'VOLUME /data' -c 'USER nobody' -m 'the message' "$TMPDIR/tree.tar" changed:v1
config=$root/content/blobs/sha256/${out#sha256:}
check_eq '["/bin/x","y"]' "$(jq -c .config.Cmd "$config")"
check_eq '["A=1","B=two words"]' "$(jq -c .config.Env "$config")"
check_eq '["80/tcp","90/udp"]' "$(jq -c '.config.ExposedPorts | keys' "$config")"
check_eq '/a/b nobody the message' "$(jq -r '.config.WorkingDir + " " + .config.User + " " + .history[0].comment' "$config")"
check_eq 1 "$(jq '.history | length' "$config")"

# A name moves to the newer image; the old one stays without a name.
check slipway import "$TMPDIR/tree.tar" tree
check_eq "$(slipway images -q --no-trunc tree)" "$out"
check slipway images --filter dangling=true --no-trunc -q
check_eq "$id" "$out"

# Mistakes.
check_fails 1 "No such file" slipway import "$TMPDIR/none"
check_fails 1 "invalid reference format" slipway import "$tree" Upper
check_fails 1 "not a valid change command" slipway import -c 'FROM x' "$tree"
echo garbage >"$TMPDIR/garbage"
check_fails 1 "layer" slipway import "$TMPDIR/garbage"
head -c 3000 "$TMPDIR/tree.gzip" | head -c -50 >"$TMPDIR/short.gz"
run slipway import "$TMPDIR/short.gz"
[ "$status" != 0 ] || fail "a truncated archive was accepted"
check_eq "" "$(find "$root/tmp" "$root/overlay2/tmp" -mindepth 1 2>/dev/null || true)" "what failed imports left"

if command -v skopeo >/dev/null; then
  check skopeo inspect --config "oci:$root/content:docker.io/library/changed:v1"
  check_eq /a/b "$(jq -r .config.WorkingDir <<<"$out")"
fi

# The index is written a few entries at a time, and is what it would be if it were written from all records.
entries() { jq -cS '.manifests | sort_by(.digest, .annotations)' "$root/content/index.json"; }
named() { jq -r '.manifests[] | .annotations["org.opencontainers.image.ref.name"] // "-"' "$root/content/index.json" | sort | xargs; }
right_index() { # STEP
  local before
  before=$(entries)
  check slipway system check --repair --quick
  check_eq "$(entries)" "$before" "index after $1"
}
slipway image prune -af >/dev/null
tar -C "$tree" -cf "$TMPDIR/one.tar" . && tar -C "$tree" --mtime=@1 -cf "$TMPDIR/two.tar" .
check slipway import "$TMPDIR/one.tar"
one=${out#sha256:}
right_index "an image without a name"
check_eq - "$(named)"
check slipway tag "$one" a/name
check slipway tag "$one" a/name:2
check slipway tag "$one" a/name:2
right_index "names for it"
check_eq "docker.io/a/name:2 docker.io/a/name:latest" "$(named)"
check slipway import "$TMPDIR/two.tar" a/name:2
two=${out#sha256:}
right_index "an image that takes a name from another"
check slipway tag "$two" a/name
right_index "a tag that takes the last name"
check_eq "- docker.io/a/name:2 docker.io/a/name:latest" "$(named)"
check slipway rmi a/name:2
right_index "rmi of a name"
check slipway rmi -f "$two" "$one"
right_index "rmi of all"
check_eq "" "$(named)"
# One of another tool's hand is written anew.
jq . "$root/content/index.json" >"$TMPDIR/pretty" && cp "$TMPDIR/pretty" "$root/content/index.json"
check slipway import "$TMPDIR/one.tar" again
right_index "an index that others have written"
check_eq docker.io/library/again:latest "$(named)"
