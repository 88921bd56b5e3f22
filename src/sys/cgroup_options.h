// The options of the cgroup v2 tree (nsdelegate, memory_recursiveprot ...) belong to all of its mounts: whoever mounts it
// once more in the host's cgroup namespace, without them, takes them from everyone. criu does.
#pragma once

#include <string>

namespace slipway::sys {

/// Puts back at its end the options that there were at its beginning.
class KeptCgroupOptions {
 public:
  KeptCgroupOptions();
  KeptCgroupOptions(const KeptCgroupOptions&) = delete;
  KeptCgroupOptions& operator=(const KeptCgroupOptions&) = delete;
  ~KeptCgroupOptions();

 private:
  std::string mountpoint_, options_;  // empty: no cgroup v2 here
};

}  // namespace slipway::sys
