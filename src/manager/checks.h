// What must hold between a container's options and the store before anything is made.
#pragma once

#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::manager {

/// Resolves the containers that the options name (to ids), and refuses what contradicts itself or what is not
/// supported here. Adds the mounts of --volumes-from.
Status check_request(store::Store& store, store::Record& record, Arena& arena);

}  // namespace slipway::manager
