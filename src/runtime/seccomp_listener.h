// Hands the listener of a seccomp filter to the agent that config.json names (linux.seccomp.listenerPath).
#pragma once

#include "oci/spec.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/runtime/runtime.h"

namespace slipway::runtime {

/// Descriptor `number` of the process; none when the caller may not take it (an ordinary user from a process that is
/// not dumpable).
Result<Fd> fetch_seccomp_listener(int pidfd, int number);

/// Sends it with the containerProcessState of config-linux.md.
Status send_seccomp_listener(const oci::Seccomp& seccomp, const State& state, pid_t pid, int listener);

}  // namespace slipway::runtime
