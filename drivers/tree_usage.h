// What a layer takes.
#pragma once

#include <vector>

#include "drivers/driver.h"
#include "src/base/result.h"

namespace slipway::drivers {

/// What the changed entries take, read below `contents`.
Result<Usage> usage_of(int contents, const std::vector<Change>& changes);

/// What a directory that holds nothing but changes takes; the directory itself is not counted, nor are
/// overlay's whiteouts.
Result<Usage> usage_of_tree(int tree);

}  // namespace slipway::drivers
