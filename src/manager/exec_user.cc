#include "src/manager/exec_user.h"

#include <fcntl.h>

#include <cstdio>

#include "src/manager/observe.h"
#include "src/sys/file.h"
#include "src/sys/mount.h"

namespace slipway::manager {

Result<Fd> open_container_root(store::Store& store, std::string_view id) {
  Arena arena;
  const Observed observed = TRY(observe(store, id, arena));
  if (observed.is_running()) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/root", observed.state->pid);
    Fd root = TRY(sys::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
    // Opened first, compared afterwards: else the id could belong to another process by now.
    if (process_lives(observed.state->pid, observed.state->pid_start_time)) return root;
  }
  drivers::Driver* driver = TRY(store.driver());
  const sys::MountSpec spec = TRY(driver->mounts(id));
  return sys::mount_detached(spec);
}

Result<Identity> find_exec_identity(store::Store& store, std::string_view id, std::string_view user,
                                    const List<Str>& extra_groups, Arena& arena) {
  const Fd root = TRY(open_container_root(store, id));
  return find_identity(root.get(), user, extra_groups, arena);
}

}  // namespace slipway::manager
