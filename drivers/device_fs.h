// File systems on block devices: making, naming and growing them.
#pragma once

#include <cstdint>
#include <string>

#include "src/base/result.h"
#include "src/sys/mount_spec.h"

namespace slipway::drivers {

/// "xfs" where there is a mkfs.xfs, else "ext4"; unsupported when there is neither.
Result<std::string> default_device_fs();

/// mkfs, with arguments of the user's own (separated by spaces).
Status make_device_fs(const std::string& device, const std::string& type, const std::string& arguments);

struct DeviceFs {
  std::string type;  // ext4, xfs
  std::string uuid;
};
/// What is on a device. not_found: no file system that we know.
Result<DeviceFs> probe_device_fs(const std::string& device);

/// How the file system on a device is mounted.
sys::MountSpec device_fs_mount(const std::string& type, const std::string& device);

/// Grows a mounted file system to the size of its device. `mounted` is a descriptor into it.
Status grow_device_fs(int mounted, const std::string& type, uint64_t device_bytes);

}  // namespace slipway::drivers
