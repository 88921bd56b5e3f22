#include <signal.h>

#include <cerrno>

#include "src/runtime/state_file.h"
#include "src/sys/kernel.h"

namespace slipway::runtime {

namespace {

/// Without a pid namespace of its own the container's other processes survive init: they are killed, too.
bool shares_pid_namespace(const Context& context, std::string_view id) {
  Arena arena;
  const Result<const oci::Spec*> spec = load_spec(context, id, arena);
  if (!spec.ok() || !spec.value()->linux_) return false;
  for (const oci::Namespace& type : spec.value()->linux_->namespaces)
    if (type.type == "pid") return !type.path.empty();
  return true;
}

}  // namespace

Status kill(const Context& context, std::string_view id, int signal, bool all) {
  const Fd directory = TRY(open_container(context, id));
  const State state = TRY(read_state(directory.get(), id));
  if (all) {
    const std::unique_ptr<Cgroup> cgroup = TRY(open_cgroup(context, state.cgroup));
    return cgroup->signal_all(signal);
  }
  const Result<Fd> init = open_init(state);
  if (!init.ok()) {
    // Its end does not end the others, where it was not the first of its pid namespace.
    if (signal == SIGKILL && shares_pid_namespace(context, id)) {
      const std::unique_ptr<Cgroup> cgroup = TRY(open_cgroup(context, state.cgroup));
      const std::vector<pid_t> others = TRY(cgroup->processes());
      if (!others.empty()) return cgroup->signal_all(signal);
    }
    return Error::of(ErrorKind::in_use, "container not running");
  }
  if (signal == SIGKILL) {
    const std::unique_ptr<Cgroup> cgroup = TRY(open_cgroup(context, state.cgroup));
    // On v1 a frozen process dies only when it is thawed.
    const Result<bool> frozen = cgroup->frozen();
    if ((frozen.ok() && frozen.value()) || shares_pid_namespace(context, id))
      return cgroup->signal_all(signal);
  }
  if (sys::pidfd_send_signal(init.value().get(), signal) == 0) return {};
  if (errno == ESRCH) return Error::of(ErrorKind::in_use, "container not running");
  return Error::sys(errno, "send signal %d to the container", signal);
}

}  // namespace slipway::runtime
