// A read-write layer becomes a committed one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drivers/driver.h"
#include "src/manager/layer_import.h"

namespace slipway::manager {

/// The layers of a stack whose uppermost is `chain` ("" for none), from the lowest up. Errors: not_found.
Result<std::vector<ImportedLayer>> layers_of(Stores stores, std::string_view chain);

/// Archives the changes of the driver's layer `id` and takes them in as a layer on origin.parent. Nothing when
/// there are none.
Result<std::optional<ImportedLayer>> commit_layer(Stores stores, std::string_view id,
                                                  const std::vector<drivers::Change>& changes,
                                                  const LayerOrigin& origin);

}  // namespace slipway::manager
