#!/bin/bash
# labels: root cgroup
# run-test itself: it must notice each kind of leak, and pass a skip on.
. "$SOURCE/tests/lib/common.sh"
require_root
unset REQUIRE LABELS

# try SCRIPT: runs it as a test.
try() {
  printf '#!/bin/bash\n. "$SOURCE/tests/lib/common.sh"\n%s\n' "$1" >"$TMPDIR/inner.sh"
  chmod +x "$TMPDIR/inner.sh"
  run "$SOURCE/tests/lib/run-test" "$TMPDIR/inner.sh"
}

try 'true'
check_eq 0 "$status" "status of a good test"
check_eq "" "$err"

try 'false'
check_eq 1 "$status" "status of a failing command"
check_contains "$err" "FAILED: line 3"

try 'slipway nope || true; it=$(slipway nope) || true; check slipway --version'
check_eq 0 "$status" "status of a test that expects a failure"
check_lacks "$err" FAILED

try 'setsid sleep 1000 & exit 0'
check_eq 1 "$status" "status with a stray process"
check_contains "$err" "left process"
check_contains "$err" "sleep 1000"

try 'mkdir "$TMPDIR/m"; mount -t tmpfs none "$TMPDIR/m"'
check_eq 1 "$status" "status with a stray mount"
check_contains "$err" "changed the mount table: >"

# What others do beside it is not the test's affair: a mount point that they remove, cgroups that come and go, a container
# whose processes are in cgroups below its own.
random_id() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
mkdir "$TMPDIR/theirs"
mount -t tmpfs none "$TMPDIR/theirs"
others() {
  wait_for 10 test -e "$TMPDIR/begun"
  umount "$TMPDIR/theirs"
  rmdir "$TMPDIR/theirs"
  local group living
  living=/sys/fs/cgroup/pids/$(random_id)
  mkdir -p "$living/below"
  sleep 1000 &
  echo $! >"$living/below/cgroup.procs"
  while [ -e "$TMPDIR/begun" ]; do
    group=/sys/fs/cgroup/pids/$(random_id)
    mkdir "$group"
    sleep 0.2
    rmdir "$group"
  done
  kill $!
  wait $! || true
  rmdir "$living/below" "$living"
}
others &
BEGUN=$TMPDIR/begun THEIRS=$TMPDIR/theirs try 'touch "$BEGUN"; wait_for 10 test ! -e "$THEIRS"'
rm "$TMPDIR/begun"
wait
check_eq 0 "$status" "status beside others"
check_eq "" "$err"

SLOWER=1 try 'mkdir -p /sys/fs/cgroup/pids/$(new_id); exit 77'
check_eq 1 "$status" "status with a stray cgroup"
check_contains "$err" "left cgroup /sys/fs/cgroup/pids/"

try 'skip "for a reason"'
check_eq 77 "$status" "status of a skip"
check_eq "skipped: for a reason" "$out"
LABELS=unit,root REQUIRE=cgroup,root try 'skip "for a reason"'
check_eq 1 "$status" "status of a required skip"
LABELS=root,aufs REQUIRE=cgroup,root try 'skip "for a reason"'
check_eq 77 "$status" "status of a skip for want of what is not required"

TEST_TIMEOUT=0.3 try 'sleep 1000'
check_eq 124 "$status" "status of a test that takes too long"

if [ -e /dev/loop-control ]; then
  try 'truncate -s 1M "$TMPDIR/disk"; losetup -f "$TMPDIR/disk"'
  check_eq 1 "$status" "status with a stray loop device"
  check_contains "$err" "left loop device /dev/loop"
fi
