#!/bin/bash
# labels: vm root cgroup
# timeout: 2400
# lock: vm
# On Debian's kernel with pure cgroup v2: what v2 alone has, and the tests of the runtime and of its security that the host
# runs, too.
. "$SOURCE/tests/lib/common.sh"
require_program slip
cd "$SOURCE"
busybox_tree >/dev/null
tests=(tests/vm/guest/cgroup2 tests/vm/guest/cgroup2-tree)
for name in tests/{runtime,security}/*.sh; do
  case $name in
    # Hundreds of small archives, for which kernels and cgroups are all the same.
    tests/security/archive_checklist.sh) [ -n "${STRESS:-}" ] || continue ;;
  esac
  tests+=("$name")
done
[ -z "${STRESS:-}" ] || tests+=(tests/vm/guest/podman-checkpoint)
run tests/vm/lab --disk 4G --load ext4 --load bfq --env SCRATCH=/dev/vda --memory 2048 --timeout 2350 \
  --env "SOURCE=$SOURCE" --env "BUILD=$BUILD" tests/vm/run-tests "${tests[@]}"
[ "$status" != 77 ] || skip "${out#skipped: }"
echo "$out"
[ "$status" = 0 ] || fail "exit status $status; $err"
