// Seccomp profiles in docker's format: lists of system calls, some of which depend on capabilities, the
// architecture or the kernel. See default_seccomp.cc for the default.
#pragma once

#include "oci/spec.h"
#include "src/base/result.h"
#include "src/store/record.h"

namespace slipway::manager {

/// The profile of a container: null when it is unconfined (--privileged, seccomp=unconfined), the one of
/// --security-opt seccomp=FILE, else the default. `capabilities` are the container's.
Result<oci::Seccomp*> seccomp_for(const store::HostConfig& host, const List<Str>& capabilities, Arena& arena);

/// The default profile, for a container with these capabilities.
oci::Seccomp* default_seccomp(const List<Str>& capabilities, Arena& arena);

}  // namespace slipway::manager
