// A network as docker describes it.
#pragma once

#include <string_view>

#include "src/base/arena.h"
#include "src/base/value.h"
#include "src/store/store.h"

namespace slipway::cli {

Result<Value> network_value(store::Store& store, std::string_view word, Arena& arena);

}  // namespace slipway::cli
