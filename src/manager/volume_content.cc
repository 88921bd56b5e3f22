#include "src/manager/volume_content.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "drivers/copy_tree.h"
#include "src/store/lock.h"
#include "src/store/removal.h"
#include "src/store/volumes.h"
#include "src/sys/file.h"
#include "src/sys/mount.h"
#include "src/sys/path.h"

namespace slipway::manager {

namespace {

bool is_empty(const Fd& dir) {
  auto entries = store::list_directory(dir.get(), ".");
  return entries.ok() && entries->empty();
}

/// With the volume locked: two containers that start at once must not both fill it.
Status fill(store::Store& store, const store::MountPoint& mount, int root) {
  const std::string path = "volumes/" + std::string(mount.name.view());
  const Fd lock = TRY(store::lock_directory(store.root_fd(), path.c_str(), store::LockMode::exclusive));
  const Fd to = TRY(sys::open_at(lock.get(), "_data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (!is_empty(to)) return {};
  auto from = sys::open_in_root(root, mount.destination.c_str(), O_RDONLY | O_DIRECTORY);
  if (!from.ok()) return {};  // the image has nothing there
  return drivers::copy_tree(from->get(), to.get()).ctx("fill volume `%s`", mount.name.c_str());
}

}  // namespace

Status fill_volumes(store::Store& store, const store::Record& record) {
  Fd root;
  for (const store::MountPoint& mount : record.mounts) {
    if (mount.type != "volume" || mount.no_copy) continue;
    if (!root) {
      drivers::Driver* driver = TRY(store.driver());
      const sys::MountSpec spec = TRY(driver->mounts(record.id));
      root = TRY(sys::mount_detached(spec));
    }
    TRY(fill(store, mount, root.get()));
  }
  return {};
}

}  // namespace slipway::manager
