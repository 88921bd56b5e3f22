// What processes that were killed have left of containers, taken away by the next command.
#pragma once

#include "src/base/result.h"
#include "src/store/store.h"

namespace slipway::manager {

/// Finishes removals; removes the container of a `run --rm` that was killed before it could start it; of a
/// container that ended while nobody watched (its monitor was killed) takes away what the kernel still has and
/// notes the end, or removes it, if it is one of --rm. Costs a few system calls for each container that runs.
Status collect_leftovers(store::Store& store);

}  // namespace slipway::manager
