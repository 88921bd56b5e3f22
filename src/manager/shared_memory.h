// /dev/shm of another container (--ipc container:ID): a mount in a namespace that is not ours.
#pragma once

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/store/store.h"

namespace slipway::manager {

/// A copy of the mount, attached nowhere. `mode` is "container:ID". Errors: in_use when the other one does not run.
Result<Fd> open_shared_memory(store::Store& store, std::string_view mode);

}  // namespace slipway::manager
