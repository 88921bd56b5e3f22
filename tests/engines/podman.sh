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

# `podman build` (buildah) runs the runtime, too, and shows all that it says.
mkdir "$TMPDIR/context"
printf 'FROM bb\nUSER 1000\nRUN id -u >/tmp/who\n' >"$TMPDIR/context/Dockerfile"
check podman_ build --isolation oci --runtime "$ENGINE_RUNTIME" --network none --ulimit nofile=1024:1024 -t built "$TMPDIR/context"
check_lacks "$out$err" warning
check podman_ run --rm "${run_options[@]}" built cat /tmp/who
check_eq 1000 "$out"
finish_podman
