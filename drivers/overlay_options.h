// The options of overlay2, those of --storage-opt.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "drivers/driver.h"

namespace slipway::drivers {

struct OverlaySettings {
  uint64_t size = 0;                                     // overlay2.size
  std::vector<std::pair<std::string, std::string>> set;  // overlay2.mountopt
};

/// Errors: invalid, and unsupported for mount options with which a layer's directory would not hold all that the layer
/// changes.
Result<OverlaySettings> parse_overlay_options(const Options& options);

}  // namespace slipway::drivers
