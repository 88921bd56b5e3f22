#!/bin/bash
# labels: engine root cgroup
# timeout: 240
# dockerd drives our runtime through containerd's shim.
. "$SOURCE/tests/lib/common.sh"
. "$SOURCE/tests/lib/engines.sh"
require_engine_runtime
require_command dockerd docker containerd ctr
require_cgroup memory

start_dockerd
engine=docker
run_options=(--network none)
tar -C "$(busybox_rootfs)" -c . | docker import - bb >/dev/null
run_cases exit_codes exec terminal attach kill_and_stop pause limits oom isolation restart_policy load
stop_dockerd
