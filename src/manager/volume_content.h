// What a new volume gets from the image: the files that it is mounted over.
#pragma once

#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::manager {

/// Copies them into each volume of the container that is empty and was never filled, unless it says nocopy.
Status fill_volumes(store::Store& store, const store::Record& record);

}  // namespace slipway::manager
