// What a store takes, and what of it nobody needs.
#pragma once

#include <cstdint>

#include "src/manager/layer_import.h"
#include "src/store/store.h"

namespace slipway::manager {

struct DiskUse {
  uint64_t total = 0, active = 0;     // how many, how many in use
  int64_t size = 0, reclaimable = 0;  // bytes
};
struct DiskUsage {
  DiskUse images, containers, volumes;
};

Result<DiskUsage> disk_usage(Stores stores, store::Store& store);

}  // namespace slipway::manager
