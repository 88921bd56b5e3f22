// device-mapper, by its ioctls on /dev/mapper/control.
//
// Without libdevmapper: its udev cookies are SysV semaphores that leak when a process is killed, and wait for a
// daemon that may not run. The nodes are the kernel's own, /dev/dm-N in devtmpfs, and udev's rules are asked to leave
// our devices alone, so that no probe holds one open when it is to be removed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::sys {

struct DmDevice {
  std::string path;  // /dev/dm-N
  dev_t number = 0;
  int open_count = 0;     // mounts, other devices on top, open descriptors
  bool deferred = false;  // it goes when it is closed
};

class DeviceMapper {
 public:
  /// unsupported when the kernel has no device-mapper, or not the target type (modules are loaded).
  static Result<DeviceMapper> open(const char* target_type);

  /// not_found when there is no device of that name.
  Result<DmDevice> find(const std::string& name) const;
  /// Makes a device with a table of one target, active.
  Result<DmDevice> create(const std::string& name, uint64_t sectors, const char* type,
                          const std::string& parameters) const;
  /// Holds all input and output, after the file system on it was brought to rest.
  Status suspend(const std::string& name) const;
  Status resume(const std::string& name) const;
  /// in_use while it is open, after so many milliseconds; with `deferred` it goes when the last user closes it. No such
  /// device is no error.
  Status remove(const std::string& name, bool deferred, int wait) const;
  /// To a target, as "create_thin 7". The errno is the target's: EEXIST, ENODATA ...
  Status message(const std::string& name, const std::string& text) const;

  struct Target {
    uint64_t sectors = 0;
    std::string type, parameters;
  };
  /// The first target's status line, or its table line.
  Result<Target> status(const std::string& name) const;
  Result<Target> table(const std::string& name) const;
  /// "4.47.0"
  Result<std::string> version() const;

 private:
  Result<Target> read_target(const std::string& name, uint32_t flags) const;
  Fd control_;
};

}  // namespace slipway::sys
