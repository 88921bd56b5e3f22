// Containers as docker describes them.
#pragma once

#include <string_view>

#include "src/base/value.h"
#include "src/store/store.h"

namespace slipway::manager {

/// The object that `inspect` prints. With `size` also SizeRw and SizeRootFs.
Result<Value> inspect_container(store::Store& store, std::string_view id, bool size);

}  // namespace slipway::manager
