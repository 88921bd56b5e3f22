// pause and resume.
#include "src/runtime/state_file.h"

namespace slipway::runtime {

namespace {

Status set_frozen(const Context& context, std::string_view id, bool frozen) {
  const State state = TRY(load_state(context, id));
  const std::unique_ptr<Cgroup> cgroup = TRY(open_cgroup(context, state.cgroup));
  const int size = static_cast<int>(id.size());
  if (frozen && state.status != ContainerStatus::running && state.status != ContainerStatus::created)
    return Error::of(ErrorKind::in_use, "container `%.*s` is not running or created: %s", size, id.data(),
                     to_string(state.status));
  if (!frozen && state.status != ContainerStatus::paused)
    return Error::of(ErrorKind::in_use, "container `%.*s` is not paused: %s", size, id.data(),
                     to_string(state.status));
  return cgroup->freeze(frozen);
}

}  // namespace

Status pause(const Context& context, std::string_view id) {
  return set_frozen(context, id, true);
}

Status resume(const Context& context, std::string_view id) {
  return set_frozen(context, id, false);
}

}  // namespace slipway::runtime
