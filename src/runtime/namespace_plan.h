// Which namespaces a new container makes, and which it joins.
#pragma once

#include <vector>

#include "oci/spec.h"
#include "src/base/arena.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/runtime/plan.h"
#include "src/runtime/spawn.h"
#include "src/sys/userns.h"

namespace slipway::runtime {

struct NamespacePlan {
  uint64_t make = 0;      // CLONE_NEW* of the process, without the cgroup and time namespaces
  bool own_user = false;  // a user namespace that is not the caller's
  bool make_cgroup = false;
  bool make_time = false;
  int pid = -1;  // a pid namespace to be born into
  std::vector<NamespaceJoin> joins;
  std::vector<sys::IdRange> uids, gids;

  bool makes(uint64_t flag) const { return make & flag; }
  /// A user namespace that is joined: what the container makes must belong to it, so it is cloned from inside.
  bool two_stages() const;
};

/// The mount namespace is made for the container, and so its root is the container's.
bool has_own_mounts(const oci::Spec& spec);

/// Opens all paths before any is joined, and checks that each is a namespace of its type. The descriptors go to
/// `keep`.
Result<NamespacePlan> plan_namespaces(const oci::Spec& spec, std::vector<Fd>& keep);

/// Fills in the plan's and the request's parts about namespaces.
void apply_namespaces(const NamespacePlan& namespaces, const oci::Spec& spec, Arena& arena, ChildPlan* plan,
                      SpawnRequest* request);

}  // namespace slipway::runtime
