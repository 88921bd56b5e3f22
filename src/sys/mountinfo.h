// /proc/PID/mountinfo: the mounts of a process's mount namespace that its root directory shows.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace slipway::sys {

struct MountEntry {
  uint64_t id = 0;
  std::string device;       // of the file system: "0:45"
  std::string root;         // the directory or file of the file system that is mounted: "/"
  std::string mountpoint;   // as the process sees it
  std::string propagation;  // "shared:3 master:1"; "" for a private mount
  std::string type;         // "ext4"
  std::string options;      // of the file system, not of the mount: "rw,nsdelegate"
};

/// In the order in which they were mounted, as far as the kernel tells. Lines that are none are left out.
std::vector<MountEntry> parse_mountinfo(std::string_view text);
/// Of a process; 0 is the caller.
Result<std::vector<MountEntry>> read_mountinfo(pid_t pid);

/// The id of the mount that a path leads to. 0 when the path or the kernel (before 5.8) does not tell.
uint64_t mount_at_path(const std::string& path);
/// That mount. Errors: not_found, also when it is hidden from the caller's root directory.
Result<MountEntry> find_mount(const std::string& path);

/// Whether `path` is `directory` or below it. Both absolute, without a slash at the end but for "/".
bool is_below(std::string_view path, std::string_view directory);

}  // namespace slipway::sys
