// What a layer of a union (overlay2, aufs) changes, found by reading the layer's own directory and looking up, in the
// layers below, the names that are in it: the cost is that of the changes, not that of the tree.
#pragma once

#include <string>
#include <vector>

#include "drivers/driver.h"
#include "src/base/result.h"

namespace slipway::drivers {

/// How layers say what is deleted.
enum class UnionFormat : uint8_t {
  overlay,       // character device 0/0 (or, since Linux 6.7, an attribute); trusted.overlay.opaque
  overlay_user,  // the same with user.overlay.*
  aufs           // .wh.NAME, .wh..wh..opq; other names with .wh..wh. are its own
};

/// `upper` is the layer's directory; `lowers` the directories of the layers below it, the nearest first. Layers of
/// overlay must have been written without redirect_dir and metacopy.
Result<std::vector<Change>> union_changes(int upper, const std::vector<Fd>& lowers, UnionFormat format);

}  // namespace slipway::drivers
