// Giving a container the cgroup below which it may make its own: on v2, for systemd or another runtime inside.
#pragma once

#include <sys/types.h>

#include "oci/spec.h"
#include "src/base/result.h"
#include "src/runtime/cgroup_control.h"

namespace slipway::runtime {

/// The user of the host who owns the cgroup of such a container: the one its process runs as. Only where it
/// has a user namespace and a cgroup namespace of its own and a cgroup mount that it may write to; else not
/// set. Pure.
Opt<uid_t> cgroup_owner(const oci::Spec& spec);

/// Hands over the directory and the files that the kernel names in /sys/kernel/cgroup/delegate (4.15): never
/// those with limits. What is missing is passed over.
Status delegate_cgroup(const ControlDirectory& directory, uid_t owner);

}  // namespace slipway::runtime
