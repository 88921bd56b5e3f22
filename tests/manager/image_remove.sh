#!/bin/bash
# labels: root
# timeout: 60
# tag, rmi, history, image inspect, image prune: names, conflicts, and what is left.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command jq

tree=$TMPDIR/tree
mkdir -p "$tree"
echo 1 >"$tree/file"
root=$TMPDIR/slipway
blobs() { find "$root/content/blobs" -type f | wc -l; }

check slipway import -m first "$tree" one:1
one=$out
check slipway tag one:1 two
check slipway tag "${one#sha256:}" three/x:y
check slipway images --format '{{.Repository}}:{{.Tag}}' --no-trunc
check_eq $'one:1\nthree/x:y\ntwo:latest' "$(sort <<<"$out")"
check slipway image inspect -f '{{json .RepoTags}}' two
check_eq '["one:1","three/x:y","two:latest"]' "$(jq -cS sort <<<"$out")"
check slipway image inspect "$one"
check_eq "$one" "$(jq -r '.[0].Id' <<<"$out")"
check_eq 1 "$(jq -r '.[0].RootFS.Layers | length' <<<"$out")"
check slipway history --no-trunc --format '{{.ID}} {{.Comment}}' one:1
check_eq "$one first" "$out"

# By ID with several repositories: only by force.
check_fails 1 "(must be forced) - image is referenced in multiple repositories" slipway rmi "${one:7:12}"
# By name: only that name.
check slipway rmi two
check_eq "Untagged: two:latest" "$out"
check_fails 1 "No such image: two" slipway image inspect -f '{{.Id}}' two
check slipway rmi -f "${one:7:12}"
check_contains "$out" "Untagged: one:1"
check_contains "$out" "Untagged: three/x:y"
check_contains "$out" "Deleted: $one"
check_eq 0 "$(blobs)" "blobs"
check_eq "" "$(ls "$root/graph" "$root/images" "$root/repositories" | grep -v :$ || true)"

# Several arguments: each is tried, and each failure is told.
check slipway import "$tree" a
check slipway import "$tree" b
run slipway rmi a none b
check_eq 1 "$status"
check_contains "$err" "No such image: none"
check_contains "$out" "Untagged: b:latest"
check slipway images -q
check_eq "" "$out"

# A layer that another image has stays.
check slipway import -m x "$tree" a
check slipway import -m y "$tree" b
check slipway rmi a
check_eq 1 "$(ls "$root/graph" | wc -l)"
check slipway image inspect b
check slipway rmi b
check_eq 0 "$(ls "$root/graph" | wc -l)"

# Dangling images and prune.
check slipway import -m x "$tree" a
check slipway import -m y "$tree" a
check slipway images -f dangling=true -q
check_eq 1 "$(wc -l <<<"$out")"
echo n | slipway image prune >"$TMPDIR/answer"
check_contains "$(cat "$TMPDIR/answer")" "Are you sure"
check slipway image prune -f
check_contains "$out" "Total reclaimed space"
check slipway images -q
check_eq 1 "$(wc -l <<<"$out")"
check slipway image prune -af
check_contains "$out" "untagged: a:latest"
check_eq 0 "$(blobs)"

# A prefix that fits two images.
for i in $(seq 1 40); do slipway import -m "$i" "$tree" "n$i" >/dev/null; done
first=$(slipway images -q | cut -c1 | sort | uniq -d | head -1)
check_fails 1 "ambiguous" slipway image inspect -f x "$first"
check_fails 1 "ambiguous" slipway rmi "$first"
# A name goes before a prefix. (It is a prefix for rmi, as for docker's, where its own image begins so.)
check slipway tag "$(slipway images -q | grep -v "^$first" | head -n 1)" "$first"
check slipway rmi "$first"
check_eq "Untagged: $first:latest" "$out"

# The layers of an image that was removed by force go with the last container that has them.
rootfs=$TMPDIR/forced
mkdir -p "$rootfs"
echo forced >"$rootfs/file"
check slipway import "$rootfs" forced
blobs=$(find "$TMPDIR/slipway/content/blobs" -type f | wc -l)
check slipway create --name first forced true
check slipway create --name second forced true
check slipway rmi -f forced
check slipway export -o "$TMPDIR/first.tar" first
check_contains "$(tar -tf "$TMPDIR/first.tar")" file
check slipway rm first
check slipway export -o "$TMPDIR/second.tar" second
check slipway rm second
check slipway system check
check_eq '' "$out$err" 'system check after the last container of a removed image'
[ "$(find "$TMPDIR/slipway/content/blobs" -type f | wc -l)" -lt "$blobs" ] || fail 'the blobs are left'
