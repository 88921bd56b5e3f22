#include "src/runtime/shared_root.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "src/sys/kernel.h"

namespace slipway::runtime {

uint64_t mount_at_path(const std::string& path) {
  struct statx info = {};
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &info) < 0) return 0;
  return info.stx_mask & STATX_MNT_ID ? info.stx_mnt_id : 0;
}

void unmount_shared_root(const std::string& path, uint64_t mount) {
  if (mount && mount_at_path(path) == mount) sys::umount2(path.c_str(), MNT_DETACH);
}

}  // namespace slipway::runtime
