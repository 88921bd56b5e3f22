// The child of live_mounts.cc (internal to it).
#pragma once

#include <cstdint>

#include "src/runtime/child.h"
#include "src/runtime/rootfs_plan.h"

namespace slipway::runtime {

struct LiveMountPlan {
  int init = -1;        // a pidfd of the container's init
  int namespaces = 0;   // CLONE_NEW* that are joined
  bool remove = false;  // else add
  List<PlannedMount> mounts;
};

namespace child {

/// Joins the namespaces, and lets a process that is in the PID namespace, too, do the rest. `report`: where it
/// writes its Outcome.
[[noreturn]] void change_live_mounts(const LiveMountPlan& plan, int report);

}  // namespace child
}  // namespace slipway::runtime
