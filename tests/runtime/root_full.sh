#!/bin/bash
# labels: root cgroup
# timeout: 120
# A --root that is full, at each inode and each page that slip needs, or read-only: one line says what is missing, nothing is
# left, and what is there can be looked at, started and stopped; it is deleted as soon as it can be.
. "$SOURCE/tests/lib/common.sh"
require_root
require_program slip
root=$TMPDIR/slip-run
mkdir "$root"
id=$(new_id full)
make_bundle "$TMPDIR/bundle" /bin/sleep 1000
edit_config "$TMPDIR/bundle" '.hooks.createRuntime = [{path: "/bin/true"}]
  | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["swapon"], action: "SCMP_ACT_ERRNO"}]}'
nothing_left() {
  check_eq "" "$(find "$root" -mindepth 1 ! -path "$root/.pending" ! -path "$root/.seccomp*")" "files $1"
  check_eq "" "$(find /sys/fs/cgroup -type d -name "*$TEST_ID*")" "cgroups $1"
}

for verb in create "run --detach"; do
  for room in nr_inodes size; do
    for ((n = 1; ; n++)); do
      size=$n
      [ $room = nr_inodes ] || size=$((4 * n))k
      mount -t tmpfs -o size=1m,$room=$size tmpfs "$root"
      # shellcheck disable=SC2086
      run slip $verb --bundle "$TMPDIR/bundle" "$id" </dev/null
      [ "$status" != 0 ] || break
      check_contains "$err" "No space left on device" "$verb with $room=$size"
      check_contains "$err" "$root" "the error of $verb with $room=$size"
      check_eq 1 "$(wc -l <<<"$err")" "lines of error"
      nothing_left "of $verb with $room=$size"
      umount "$root"
      [ $n -lt 30 ] || fail "$verb does without $room: $err"
    done
    [ $n -gt 1 ] || fail "nothing was missing"
    cat /dev/zero >"$root/filler" 2>/dev/null || true
    [ "$verb" != create ] || check slip start "$id"
    check slip exec "$id" /bin/true
    check slip pause "$id"
    check slip resume "$id"
    check slip delete --force "$id"
    rm -f "$root/filler"
    nothing_left "of what $verb had made with $room=$size"
    umount "$root"
  done
done

# Limits are changed in the kernel and in the file, or in neither.
limits() {
  jq -c .linux.resources "$root/$id/config.json"
  find /sys/fs/cgroup -path "*/$id/pids.max" -exec cat {} +
}
mount -t tmpfs -o size=1m tmpfs "$root"
check slip create --bundle "$TMPDIR/bundle" "$id" </dev/null
check slip update --pids-limit 70 "$id"
before=$(limits)
cat /dev/zero >"$root/filler" 2>/dev/null || true
check_fails 1 "No space left on device" slip update --pids-limit 71 "$id"
check_eq "$before" "$(limits)" "limits after an update without room"
rm "$root/filler"
check_fails 1 "linux.resources.cpu.cpus" slip update --pids-limit 71 --cpuset-cpus 4000 "$id"
check_contains "$(limits)" "${before%$'\n'*}" "noted limits after an update that the kernel refuses"
check slip update --pids-limit 71 "$id"
check_eq 71 "$(limits | tail -n 1)" "limit"
mount -o remount,ro "$root"
check_fails 1 "Read-only file system" slip update --pids-limit 72 "$id"
check_eq 71 "$(limits | tail -n 1)" "limit after an update of a read-only root"
check_fails 1 "Read-only file system" slip create --bundle "$TMPDIR/bundle" "$(new_id other)"
check_fails 1 "Read-only file system" slip run --bundle "$TMPDIR/bundle" "$(new_id other)"
check slip start "$id"
check slip list
check_contains "$out" running
check_fails 1 "already running" slip start "$id"
check slip exec "$id" /bin/true
check slip pause "$id"
check slip resume "$id"
check slip kill "$id" KILL
check_fails 1 "remove \`$root/$id\`: Read-only file system" slip delete --force "$id"
check slip state "$id"
check_eq stopped "$(jq -r .status <<<"$out")"
mount -o remount,rw "$root"
check slip delete "$id"
nothing_left "after all"
umount "$root"
