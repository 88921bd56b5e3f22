#include "src/manager/exit.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "src/manager/events.h"
#include "src/manager/network.h"
#include "src/manager/observe.h"
#include "src/manager/orphans.h"
#include "src/manager/spec.h"
#include "src/store/containers.h"
#include "src/store/removal.h"
#include "src/store/volumes.h"
#include "src/sys/file.h"
#include "src/sys/remove_tree.h"

namespace slipway::manager {

int exit_code_of(const Error& error) {
  if (error.kind() == ErrorKind::command_not_found) return 127;
  return error.kind() == ErrorKind::not_executable ? 126 : 128;
}

bool was_oom_killed(std::string_view cgroup_parent, std::string_view id) {
  const std::string group = container_cgroup(cgroup_parent, id);
  // v2 in memory.events, v1 in memory.oom_control; both have a line "oom_kill N".
  for (const std::string& file : {"/sys/fs/cgroup/memory" + group + "/memory.oom_control",
                                  "/sys/fs/cgroup" + group + "/memory.events"}) {
    auto text = sys::read_file_at(AT_FDCWD, file.c_str(), 4096);
    if (!text.ok()) continue;
    const size_t at = text->find("oom_kill ");
    if (at != std::string::npos && atol(text->c_str() + at + 9) > 0) return true;
  }
  return false;
}

Status remove_container(store::Store& store, std::string_view id, const RemovalOptions& options) {
  store::Containers containers(store);
  Fd lock = TRY(containers.lock(id));
  Arena arena;
  // A record that cannot be read must not keep the container from being removed.
  auto record = containers.load(id, arena);
  auto observed = observe(store, id, arena);
  if (observed.ok() && (observed->is_running() || observed->status == store::ContainerStatus::restarting))
    return Error::of(
        ErrorKind::in_use,
        "You cannot remove a %s container %.*s. %s the container before attempting removal or force remove",
        to_string(observed->status), static_cast<int>(id.size()), id.data(),
        observed->status == store::ContainerStatus::paused ? "Unpause and then stop" : "Stop");
  Status deleted = engine_delete(store, id, options.patience_ms);
  if (!deleted.ok() && options.forced && observed.ok() && is_external(store, id) &&
      engine_forget(store, id).ok()) {
    *options.forced = deleted.error().text();
    deleted = {};
  }
  // Nobody would find what still lives of it, if its record went.
  if (!deleted.ok() && record.ok() && deleted.error().kind() != ErrorKind::command_not_found) {
    deleted.error().set_kind(ErrorKind::failed);  // in_use is what runs, and is tried again
    return deleted;
  }
  collect_session(store, id);
  TRY(containers.remove(id, std::move(lock)));
  // Last: by this the next command finds what of a container of --rm a killed one has left.
  (void)sys::remove_tree(store.run_fd(), monitor_dir(id).c_str());
  if (!record.ok()) return {};
  // It may have been the last one that needed the layers; who comes next finds them if we cannot.
  std::string_view image = (*record)->image;
  if (image.starts_with("sha256:")) image.remove_prefix(7);
  if (!image.empty() && faccessat(store.root_fd(), ("images/" + std::string(image)).c_str(), F_OK, 0) < 0)
    (void)forget_image(store);
  store::Volumes store_volumes(store);
  for (const store::MountPoint& mount : (*record)->mounts) {
    if (mount.type != "volume") continue;
    TRY(store_volumes.release(mount.name, id));
    if (options.volumes && mount.anonymous) {
      Status removed = store_volumes.remove(mount.name);
      if (removed.ok())
        object_event(store, "volume", "destroy", mount.name, {{"driver", "local"}});
      else if (removed.error().kind() != ErrorKind::in_use && removed.error().kind() != ErrorKind::not_found)
        return removed;
    }
  }
  container_event(store, "destroy", **record);
  return {};
}

}  // namespace slipway::manager
