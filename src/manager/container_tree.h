// A container's whole file system tree, for those who read it from outside.
#pragma once

#include <string_view>

#include "src/base/fd.h"
#include "src/store/store.h"

namespace slipway::manager {

/// The tree without volumes and other mounts, read-only, mounted nowhere: it vanishes with the descriptor.
/// Works beside a running container, whose own mount is not disturbed.
Result<Fd> open_container_tree(store::Store& store, std::string_view id);

}  // namespace slipway::manager
