// A volume as docker describes it.
#pragma once

#include <string_view>

#include "src/base/value.h"
#include "src/store/store.h"

namespace slipway::cli {

Result<Value> volume_value(store::Store& store, std::string_view name);

}  // namespace slipway::cli
