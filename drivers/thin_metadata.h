// The small JSON files of thin_pool.h.
#pragma once

#include <cstdint>
#include <string>

#include "drivers/thin_pool.h"
#include "src/base/result.h"

namespace slipway::drivers {

struct ThinTransaction {
  uint64_t opens = 0;   // the pool's transaction id once it is through
  std::string name;     // in metadata/
  uint64_t device = 0;  // number
};
struct DeviceSet {
  uint64_t next_device = 1;
  std::string base_uuid, base_fs;
  bool growing = false;  // the file system of `base` may be smaller than its device
};

// `metadata` is the directory. Writing is atomic, and on disk when it returns.

bool has_transaction(int metadata);
/// not_found when there was none yet.
Result<ThinTransaction> read_transaction(int metadata);
Status write_transaction(int metadata, const ThinTransaction& transaction);
/// The default when there is none yet, or none that can be read.
Result<DeviceSet> read_device_set(int metadata);
Status write_device_set(int metadata, const DeviceSet& set);
/// not_found when there is no such device.
Result<ThinDevice> read_thin_device(int metadata, const std::string& name);
Status write_thin_device(int metadata, const std::string& name, const ThinDevice& device);

}  // namespace slipway::drivers
