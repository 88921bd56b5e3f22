#!/bin/bash
# labels: vm root cgroup
# timeout: 2400
# lock: vm
# On Debian's kernel with pure cgroup v2: what v2 alone has, and the tests of the runtime and of its security that the host
# runs, too; with STRESS (make check-all) every one of these.
. "$SOURCE/tests/lib/common.sh"
require_program slip
cd "$SOURCE"
busybox_tree >/dev/null
tests=(tests/vm/guest/cgroup2)
for name in cgroup-limits cgroup-verbs checkpoint cgroup_mounts cli_argv cli_fds cli_list_state cli_log \
  cli_man console_socket devices exec hand_over lifecycle live_mounts mounts net_devices process program \
  propagation protected_paths seccomp terminal wrong_use; do
  tests+=("tests/runtime/$name.sh")
done
for name in descriptors hostile_links runtime_binary users; do tests+=("tests/security/$name.sh"); done
[ -z "${STRESS:-}" ] || tests=(tests/vm/guest/cgroup2 tests/vm/guest/cgroup2-tree tests/runtime/*.sh tests/security/*.sh)
run tests/vm/lab --disk 4G --load ext4 --load bfq --env SCRATCH=/dev/vda --memory 2048 --timeout 2350 \
  --env "SOURCE=$SOURCE" --env "BUILD=$BUILD" tests/vm/run-tests "${tests[@]}"
[ "$status" != 77 ] || skip "${out#skipped: }"
echo "$out"
[ "$status" = 0 ] || fail "exit status $status; $err"
