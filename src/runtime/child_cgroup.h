// The child's part of entering its cgroups. See cgroup.h.
#pragma once

#include <cstdint>

#include "src/runtime/child.h"

namespace slipway::runtime::child {

/// Moves the calling process, which has one thread, into the v1 cgroups whose `tasks` files these are. They
/// may have been opened by the parent with rights that the caller lacks: the kernel checks the opener's.
Outcome enter_cgroups(const int* tasks, uint32_t count);

}  // namespace slipway::runtime::child
