// Hands the listener of a seccomp filter to the agent that config.json names (linux.seccomp.listenerPath).
#pragma once

#include "oci/spec.h"
#include "src/base/result.h"
#include "src/runtime/runtime.h"

namespace slipway::runtime {

/// Fetches descriptor `number` of the process and sends it with the containerProcessState of config-linux.md.
Status send_seccomp_listener(const oci::Seccomp& seccomp, const State& state, pid_t pid, int pidfd,
                             int number);

}  // namespace slipway::runtime
