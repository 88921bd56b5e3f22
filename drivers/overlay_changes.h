// What an overlay layer changes, found by reading the layer's own directory and looking up, in the layers
// below, the names that are in it: the cost is that of the changes, not that of the tree.
#pragma once

#include <string>
#include <vector>

#include "drivers/driver.h"
#include "src/base/result.h"

namespace slipway::drivers {

/// `upper` is the layer's directory; `lowers` the directories of the layers below it, the nearest first.
/// Marks are read from trusted.overlay.*, or user.overlay.* if `user_xattr`. The layers must have been
/// written without redirect_dir and metacopy.
Result<std::vector<Change>> overlay_changes(int upper, const std::vector<Fd>& lowers, bool user_xattr);

}  // namespace slipway::drivers
