#!/bin/bash
# labels: vm root cgroup
# timeout: 900
# The runtime's own tests on Debian's kernel with pure cgroup v2.
. "$SOURCE/tests/lib/common.sh"
require_program slip
cd "$SOURCE"
tests=(tests/runtime/*.sh)
run tests/vm/lab --timeout 840 --memory 2048 --env "SOURCE=$SOURCE" --env "BUILD=$BUILD" tests/vm/run-tests "${tests[@]}"
[ "$status" != 77 ] || skip "${out#skipped: }"
echo "$out"
[ "$status" = 0 ] || fail "exit status $status; $err"
