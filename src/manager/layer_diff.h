// A layer's changes as the tar that makes them: image-spec 1.1 layer.md.
#pragma once

#include <vector>

#include "drivers/driver.h"
#include "oci/tar_writer.h"

namespace slipway::manager {

/// `contents` is the driver's contents() of the layer, `changes` are sorted by path. Deterministic. What cannot
/// be kept in a layer (a name that begins with ".wh.") is an error; sockets are left out.
Status write_layer_diff(int contents, const std::vector<drivers::Change>& changes, oci::TarWriter& writer);

}  // namespace slipway::manager
