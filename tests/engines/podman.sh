#!/bin/bash
# labels: engine root cgroup
# timeout: 240
# podman drives our runtime through its monitor, conmon.
. "$SOURCE/tests/lib/common.sh"
. "$SOURCE/tests/lib/engines.sh"
require_engine_runtime
require_command podman conmon
require_cgroup memory

prepare_podman
engine=podman_
# podman asks for more than a machine without CAP_SYS_RESOURCE can give.
run_options=(--network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024)
tar -C "$(busybox_rootfs)" -c . | podman_ import - bb >/dev/null 2>&1
run_cases exit_codes exec terminal attach kill_and_stop pause limits oom isolation restart_policy load
finish_podman
