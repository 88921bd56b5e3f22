// The directory of a driver in the store, and the file system that it is on.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::drivers {

struct Home {
  std::string path;  // <root>/<driver>, absolute
  Fd dir;
  std::string filesystem;  // as `docker info` names it: extfs, xfs, btrfs, tmpfs ...
  uint64_t magic = 0;      // statfs.f_type
  bool fresh = false;      // made by this call

  /// mkdir if need be, and open.
  Result<Fd> make_directory(const char* name, mode_t mode) const;
};

/// Opens <root>/<driver>, made with mode 0710 if need be: who is not in root's group must not reach the
/// setuid programs of images (CVE-2021-41091).
Result<Home> open_home(const std::string& root, const char* driver);

/// Whether this process may do what only root of the host may (the user namespace maps all IDs to
/// themselves).
bool in_user_namespace();

}  // namespace slipway::drivers
