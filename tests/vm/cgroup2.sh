#!/bin/bash
# labels: vm root cgroup slow
# timeout: 900
# lock: vm
# On Debian's kernel with pure cgroup v2: the runtime's tests of what differs there, and of what a young kernel might hide.
. "$SOURCE/tests/lib/common.sh"
require_program slip
cd "$SOURCE"
tests=()
for name in cgroup-limits cgroup-verbs cgroup_mounts lifecycle exec process devices mounts terminal; do
  [ ! -e "tests/runtime/$name.sh" ] || tests+=("tests/runtime/$name.sh")
done
run tests/vm/lab --timeout 840 --memory 2048 --env "SOURCE=$SOURCE" --env "BUILD=$BUILD" tests/vm/run-tests "${tests[@]}"
[ "$status" != 77 ] || skip "${out#skipped: }"
echo "$out"
[ "$status" = 0 ] || fail "exit status $status; $err"
