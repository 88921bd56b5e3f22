// Plans the mounts of config.json, in their order (internal to the rootfs plan).
#pragma once

#include <vector>

#include "src/base/fd.h"
#include "src/runtime/rootfs.h"
#include "src/runtime/rootfs_plan.h"

namespace slipway::runtime {

/// What planning works with.
struct PlanContext {
  const RootfsRequest& request;
  Arena& arena;
  std::vector<Fd>& keep;
  ListBuilder<Str>& warnings;
  const char* root;  // canonical path of the root file system
  ListBuilder<PlannedMount> mounts;
  bool clone_sources = false;  // every bind's source here: the child will not see the host's tree
};

Status plan_mounts(PlanContext& context);

/// A mount of type "cgroup" (rootfs_cgroups.cc): one step on v2; on v1 and hybrid hosts a tmpfs with a
/// directory per hierarchy. `like` has the destination, the flags and attributes.
Status plan_cgroup_mount(PlanContext& context, const PlannedMount& like);

}  // namespace slipway::runtime
