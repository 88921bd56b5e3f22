// How registry.cc finds the drivers: one function for each, defined in the driver's own file. See
// DriverEntry::open.
#pragma once

#include <memory>
#include <string>

#include "drivers/driver.h"
#include "src/base/result.h"

namespace slipway::drivers {

Result<std::unique_ptr<Driver>> open_devicemapper(const std::string& root, const Options& options);
Result<std::unique_ptr<Driver>> open_overlay2(const std::string& root, const Options& options);
Result<std::unique_ptr<Driver>> open_aufs(const std::string& root, const Options& options);
/// Without asking the kernel: all but mounting works everywhere, and is tested everywhere.
Result<std::unique_ptr<Driver>> open_aufs_layout(const std::string& root, const Options& options);
Result<std::unique_ptr<Driver>> open_btrfs(const std::string& root, const Options& options);
Result<std::unique_ptr<Driver>> open_vfs(const std::string& root, const Options& options);

}  // namespace slipway::drivers
