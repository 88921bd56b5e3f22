#!/bin/bash
# labels: root
# timeout: 120
# save and load: our archives are read by skopeo and theirs by us; the same image is the same bytes.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command jq

tree=$TMPDIR/tree
mkdir -p "$tree/bin" "$tree/etc"
head -c 300000 /dev/urandom >"$tree/bin/large"
echo hello >"$tree/etc/greeting"
root=$TMPDIR/slipway

check slipway import -c 'CMD ["/bin/large"]' -m "a comment" "$tree" app:1
id=$out
check slipway tag app:1 app:2
check slipway tag app:1 registry.example:5000/team/app:stable

# save -> rmi -> load -> save: the same bytes, the same ID, the same names.
check slipway save -o "$TMPDIR/one.tar" app:1 app:2 registry.example:5000/team/app:stable
check slipway rmi -f "$id"
check slipway load -i "$TMPDIR/one.tar"
check_eq $'Loaded image: app:1\nLoaded image: app:2\nLoaded image: registry.example:5000/team/app:stable' "$out"
check slipway images -q --no-trunc app:2
check_eq "$id" "$out"
slipway save app registry.example:5000/team/app:stable >"$TMPDIR/two.tar"
cmp "$TMPDIR/one.tar" "$TMPDIR/two.tar" || fail "save differs after load"
check_eq '["app:1","app:2","registry.example:5000/team/app:stable"]' \
  "$(tar -xOf "$TMPDIR/one.tar" manifest.json | jq -c '.[0].RepoTags')"

# Every format, with every compression around it.
for format in docker-archive oci-archive; do
  check slipway save --format $format -o "$TMPDIR/$format.tar" app:1
  for compress in cat gzip xz zstd bzip2; do
    command -v $compress >/dev/null || continue
    slipway rmi -f "$id" >/dev/null
    $compress <"$TMPDIR/$format.tar" | slipway load >"$TMPDIR/loaded"
    check_eq "Loaded image: app:1" "$(cat "$TMPDIR/loaded")" "$format, $compress"
    check_eq "$id" "$(slipway images -q --no-trunc app:1)" "$format, $compress"
  done
done
check slipway save --format oci-dir -o "$TMPDIR/dir" app:1
check slipway rmi -f "$id"
check slipway load -i "$TMPDIR/dir"
check_eq "$id" "$(slipway images -q --no-trunc)"

# Docker before 1.10: no manifest.json; the ID is another, the tree is the same.
mkdir "$TMPDIR/old"
tar -C "$TMPDIR/old" -xf "$TMPDIR/docker-archive.tar"
rm "$TMPDIR"/old/manifest.json "$TMPDIR/old/${id#sha256:}.json"
check slipway rmi -f "$id"
tar -C "$TMPDIR/old" -c . | slipway load >"$TMPDIR/loaded"
check_eq "Loaded image: app:1" "$(cat "$TMPDIR/loaded")"
check slipway image inspect -f '{{json .Config.Cmd}}' app:1
check_eq '["/bin/large"]' "$out"
check slipway rmi app:1

# A layer that is a link to another's (docker save did that for equal layers), and an image without a name.
check slipway load -i "$TMPDIR/one.tar"
check slipway save -o "$TMPDIR/nameless.tar" "${id:7:12}"
check slipway rmi -f "$id"
check slipway load -i "$TMPDIR/nameless.tar"
check_eq "Loaded image ID: $id" "$out"

# A name that another image has moves, and says so.
check slipway import -m other "$tree" app:1
other=$out
check slipway load -i "$TMPDIR/one.tar"
check_contains "$out" "The image app:1 already exists, renaming the old one with ID $other to empty string"
check_eq "$id" "$(slipway images -q --no-trunc app:1)"

# Refused: garbage, truncated, layers that do not fit, ids and names that lead elsewhere.
echo garbage >"$TMPDIR/garbage"
check_fails 1 "" slipway load -i "$TMPDIR/garbage"
tar -cf "$TMPDIR/empty.tar" -C "$TMPDIR" garbage
check_fails 1 "not an image archive" slipway load -i "$TMPDIR/empty.tar"
slipway rmi -f "$id" "$other" >/dev/null
head -c 200000 "$TMPDIR/one.tar" >"$TMPDIR/short.tar"
run slipway load -i "$TMPDIR/short.tar"
[ "$status" != 0 ] || fail "a truncated archive was loaded"
mkdir "$TMPDIR/bad"
tar -C "$TMPDIR/bad" -xf "$TMPDIR/docker-archive.tar"
cp "$TMPDIR/bad/manifest.json" "$TMPDIR/manifest.json"
bad() { # FILTER TEXT
  jq "$1" "$TMPDIR/manifest.json" >"$TMPDIR/bad/manifest.json"
  tar -C "$TMPDIR/bad" -cf "$TMPDIR/bad.tar" .
  check_fails 1 "$2" slipway load -i "$TMPDIR/bad.tar"
}
bad '.[0].Config = "../../../etc/passwd"' "leads out"
bad '.[0].Layers[0] = "/etc/passwd"' "the archive has no"
bad '.[0].Layers += ["x"]' "layers length mismatch"
bad '.[0].RepoTags = ["../x:y"]' "invalid reference format"
bad '.[0].Layers[0] = .[0].Config' "layer"
check_eq "" "$(slipway images -aq)" "images after failed loads"

if command -v skopeo >/dev/null; then
  # From one.tar skopeo reads either of its layouts; from its archives we make the same image again. (Between
  # docker and oci skopeo rewrites the config, so the ID is another there.)
  for format in docker-archive oci-archive; do
    source=$format:$TMPDIR/one.tar:app:1
    [ $format = docker-archive ] || source=$format:$TMPDIR/oci-archive.tar:1
    rm -f "$TMPDIR/sk.tar"
    check skopeo copy "$source" "$format:$TMPDIR/sk.tar:sk.example/app:9"
    check slipway load -i "$TMPDIR/sk.tar"
    check_eq "Loaded image: sk.example/app:9" "$out" "$format"
    check_eq "$id" "$(slipway images -q --no-trunc sk.example/app)" "$format"
    slipway rmi -f "$id" >/dev/null
  done
fi
check_eq 0 "$(find "$root/content/blobs" -type f | wc -l)" "blobs that are left"
