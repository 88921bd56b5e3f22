#!/bin/bash
# labels: root
# timeout: 600
# A store of 20 images and 10 stopped containers goes from overlay2 to btrfs to vfs and back: every digest and every tree stays
# as it was. Killed at 20 random instants, too, and then nothing of what was begun is left. KILLS and SEED change that.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slipway
require_command mkfs.btrfs losetup
grep -qw btrfs /proc/filesystems || modprobe -q btrfs || skip "no btrfs in this kernel"
truncate -s 2G "$TMPDIR/disk"
mkfs.btrfs -q "$TMPDIR/disk" >/dev/null 2>&1
mkdir "$TMPDIR/slipway"
mount -o loop "$TMPDIR/disk" "$TMPDIR/slipway"
trap 'umount "$TMPDIR/slipway"' EXIT

busybox_image base
for i in $(seq 10); do
  check slipway run --name "c$i" base sh -c "set -e
    mkdir -p /d$i/sub; echo $i >/d$i/f; ln /d$i/f /d$i/g; ln -s f /d$i/l; mkfifo /d$i/p; chmod 700 /etc; chown 3:4 /root
    rm -r /home; rm /bin/cat; rm -r /var; mkdir /var; echo $i >/var/only; touch -d @1000000000 /d$i /var"
  [ "$i" = 10 ] || check slipway commit "c$i" "derived$i"
done
for i in $(seq 10); do
  mkdir -p "$TMPDIR/tree/of$i"
  echo "$i" >"$TMPDIR/tree/of$i/file"
  check slipway import "$TMPDIR/tree" "import$i"
done
check_eq 20 "$(slipway images -q | wc -l)" "images"

# Every digest: of the images, and of the blobs, which `system check` reads. Every tree: as it is exported.
digests() {
  slipway images --no-trunc --format '{{.ID}} {{.Repository}}' | sort
  (cd "$TMPDIR/slipway/content/blobs/sha256" && ls | sort)
}
container_trees() { # CONTAINER...
  local name
  for name; do echo "$name $(slipway export "$name" | sha256sum)"; done
}
image_trees() {
  local name
  for name in $(slipway images --format '{{.Repository}}' | sort); do
    slipway create --name shown "$name" x >/dev/null
    echo "$name $(slipway export shown | sha256sum)"
    slipway rm shown >/dev/null
  done
}
mapfile -t containers < <(seq -f c%g 10)
want_digests=$(digests) want_containers=$(container_trees "${containers[@]}") want_images=$(image_trees)
whole() { # WHERE
  check_eq "$want_digests" "$(digests)" "digests $1"
  check_eq "$want_containers" "$(container_trees "${containers[@]}")" "containers $1"
  check_eq "$want_images" "$(image_trees)" "images $1"
  check slipway system check
  check_eq "" "$out" "system check $1"
}
names() { # what each driver has
  (cd "$TMPDIR/slipway" && ls -d overlay2/[0-9a-f]* btrfs/subvolumes/* vfs/dir/* 2>/dev/null || true) | sort
}
moved() { # DRIVER
  check slipway info -f '{{.Driver}}'
  check_eq "$1" "$out"
  check_eq "" "$(names | grep -v "^$1/" || true)" "layers that other drivers have"
}

longest=0
for driver in btrfs vfs overlay2; do
  start=$(date +%s%N)
  check slipway system migrate --to $driver
  took=$((($(date +%s%N) - start) / 1000000))
  [ $took -lt $longest ] || longest=$took
  moved $driver
  whole "in $driver"
done

# Killed somewhere, it has changed nothing, or all; perhaps it is done again, perhaps another comes.
RANDOM=${SEED:-$$}
echo "seed $RANDOM, a move takes up to $longest ms"
drivers=(overlay2 btrfs vfs) switched=0 behind=0
for kill in $(seq "${KILLS:-20}"); do
  before=$(slipway info -f '{{.Driver}}')
  to=$before
  while [ "$to" = "$before" ]; do to=${drivers[RANDOM % 3]}; done
  delay=$((RANDOM % (longest + 1)))
  status=0
  timeout -s KILL "$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))" \
    "$SLIPWAY" --root "$TMPDIR/slipway" --run-root "$TMPDIR/slipway-run" system migrate --to "$to" 2>/dev/null || status=$?
  now=$(slipway info -f '{{.Driver}}')
  echo "$kill: $before to $to, after $delay ms: $([ $status = 0 ] && echo finished || echo killed), $now"
  [ "$now" = "$to" ] || [ "$now" = "$before" ] || fail "the store is in $now"
  [ "$now" = "$before" ] || switched=$((switched + 1))
  [ $status = 0 ] || [ "$now" != "$to" ] || behind=$((behind + 1))
  check_eq "$want_digests" "$(digests)" "digests after kill $kill"
  some=c$((RANDOM % 10 + 1))
  check_contains "$want_containers" "$(container_trees $some)" "$some after kill $kill"
  check slipway run --rm derived1 head /d1/f
  check_eq 1 "$out"
done
echo "switched $switched times, $behind times killed behind the switch"
# A container and an image that go while half a copy of them stands somewhere.
slipway rm c10 >/dev/null
slipway rmi import10 >/dev/null
want_digests=$(digests)
want_containers=$(grep -v '^c10 ' <<<"$want_containers")
want_images=$(grep -v '^import10 ' <<<"$want_images")
unset 'containers[9]'
for driver in vfs btrfs overlay2; do
  check slipway system migrate --to $driver
  moved $driver
done
whole "at the end"
