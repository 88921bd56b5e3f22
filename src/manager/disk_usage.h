// What a store takes, and what of it nobody needs.
#pragma once

#include <cstdint>
#include <map>
#include <string>

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

/// What an image has in common with others, and what it has alone.
struct ImageShare {
  int64_t shared = 0, unique = 0;  // bytes
  uint64_t containers = 0;
};
/// By image id.
Result<std::map<std::string, ImageShare>> image_shares(const store::ImageStore& images, store::Store& store);

/// Bytes below a directory; 0 when it cannot be read.
int64_t bytes_below(const std::string& path);

}  // namespace slipway::manager
