#include "src/sys/cgroup_options.h"

#include <fcntl.h>
#include <linux/mount.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "src/base/fd.h"
#include "src/sys/kernel.h"
#include "src/sys/mountinfo.h"

namespace slipway::sys {

namespace {

MountEntry find_unified() {
  Result<std::vector<MountEntry>> mounts = read_mountinfo(0);
  if (mounts.ok())
    for (MountEntry& mount : *mounts)
      if (mount.type == "cgroup2") return std::move(mount);
  return {};
}

}  // namespace

KeptCgroupOptions::KeptCgroupOptions() {
  MountEntry mount = find_unified();
  mountpoint_ = std::move(mount.mountpoint);
  options_ = std::move(mount.options);
}

KeptCgroupOptions::~KeptCgroupOptions() {
  if (mountpoint_.empty() || find_unified().options == options_) return;
  const Fd tree(fspick(AT_FDCWD, mountpoint_.c_str(), FSPICK_CLOEXEC));
  if (!tree) return;
  for (size_t at = 0; at < options_.size();) {
    const size_t end = std::min(options_.find(',', at), options_.size());
    const std::string option = options_.substr(at, end - at);
    at = end + 1;
    if (option != "rw" && option != "ro")
      (void)fsconfig(tree.get(), FSCONFIG_SET_FLAG, option.c_str(), nullptr, 0);
  }
  (void)fsconfig(tree.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0);
}

}  // namespace slipway::sys
