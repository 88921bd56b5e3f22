#include <poll.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

#include "src/base/fault.h"
#include "src/runtime/container_dir.h"
#include "src/runtime/hooks.h"
#include "src/runtime/intel_rdt.h"
#include "src/runtime/pending.h"
#include "src/runtime/shared_root.h"
#include "src/runtime/state_file.h"
#include "src/sys/kernel.h"

namespace slipway::runtime {

namespace {

constexpr int kThawMs = 500;
constexpr int kNapMs = 10;

/// Ends init and waits for its end. One in uninterruptible sleep is not waited for for ever.
Status end_init(const Context& context, Cgroup& cgroup, const State& state) {
  const Result<Fd> init = open_init(state);
  if (!init.ok()) return {};
  const int pidfd = init.value().get();
  if (sys::pidfd_send_signal(pidfd, SIGKILL) < 0 && errno != ESRCH)
    return Error::sys(errno, "kill the container's process %d", static_cast<int>(state.pid));
  pollfd ended = {pidfd, POLLIN, 0};
  for (int waited = 0; waited < context.patience_ms; waited += kThawMs) {
    // A frozen process of v1 does not take its SIGKILL. And one that was not may be frozen meanwhile.
    Result<bool> frozen = cgroup.frozen();
    if (frozen.ok() && *frozen) TRY(cgroup.signal_all(SIGKILL));
    if (poll(&ended, 1, std::min(kThawMs, context.patience_ms - waited)) > 0) return {};
  }
  return Error::of(ErrorKind::in_use, "the container's process %d does not die (see /proc/%d/stack)",
                   static_cast<int>(state.pid), static_cast<int>(state.pid));
}

/// Errors of these hooks are told of, but end nothing: what they clean up after is gone.
Status run_poststop_hooks(const oci::Spec* spec, const State& state, Arena& arena) {
  if (!spec || !spec->hooks || spec->hooks->poststop.empty()) return {};
  const HookListPlan hooks = plan_hooks(*spec, "poststop", spec->hooks->poststop, arena);
  return run_hooks(hooks, plan_hook_state(state, "stopped", arena));
}

Result<std::unique_ptr<Cgroup>> cgroup_of(const Context& context, const State& state) {
  Context its = context;
  its.systemd_cgroup = state.systemd_cgroup;
  return open_cgroup(its, state.cgroup);
}

/// What a container that has ended has outside its directory.
Status remove_outside(Cgroup& cgroup, const State& state) {
  TRY(cgroup.destroy());
  fault_point("runtime.delete.cgroup");
  TRY(leave_intel_rdt(state.intel_rdt));
  unmount_shared_root(state.rootfs, state.root_mount);
  return {};
}

Status remove_all(const Context& context, std::string_view id, const State& state) {
  const std::unique_ptr<Cgroup> cgroup = TRY(cgroup_of(context, state));
  TRY(end_init(context, *cgroup, state));
  fault_point("runtime.delete.ended");
  TRY(remove_outside(*cgroup, state));
  Arena arena;
  const Result<const oci::Spec*> spec = load_spec(context, id, arena);
  TRY(remove_container_directory(context, id));
  fault_point("runtime.delete.removed");
  if (state.foreground) forget_pending(context, id);
  const Status hooks = run_poststop_hooks(spec.ok() ? spec.value() : nullptr, state, arena);
  return {};
}

/// Ends what its creator, who lives, is still making. He removes it.
Status end_creation(const Context& context, std::string_view id, const State& state) {
  const std::unique_ptr<Cgroup> cgroup = TRY(cgroup_of(context, state));
  TRY(end_init(context, *cgroup, state));
  for (int waited = 0; waited < context.patience_ms; waited += kNapMs) {
    TRY(collect_pending(context, id));
    if (!open_container(context, id).ok()) return {};
    const timespec nap = {0, kNapMs * 1'000'000L};
    nanosleep(&nap, nullptr);
  }
  return Error::of(ErrorKind::in_use, "container `%.*s` is still being created", static_cast<int>(id.size()),
                   id.data());
}

}  // namespace

Status delete_own(const Context& context, std::string_view id, const Created& created) {
  if (!created.state) return delete_container(context, id, true);
  const std::unique_ptr<Cgroup> cgroup = TRY(cgroup_of(context, *created.state));
  TRY(remove_outside(*cgroup, *created.state));
  TRY(remove_container_directory(context, id));
  if (created.ownership) forget_pending(context, id);
  return {};
}

Status delete_container(const Context& context, std::string_view id, bool force) {
  Result<Fd> directory = open_container(context, id);
  if (!directory.ok()) {
    if (!force || directory.error().kind() != ErrorKind::not_found) return std::move(directory).error();
    return collect_pending(context, id);
  }
  Result<State> state = read_state(directory->get(), id);
  if (!state.ok()) {
    // Half made, or half removed: by someone just now, or by one who was killed.
    TRY(collect_pending(context, id));
    Result<Pending> pending = Pending::begin(context, id);
    if (pending.ok()) {
      TRY(remove_stateless_directory(context, id));
      pending->done();
    } else if (pending.error().kind() != ErrorKind::exists) {
      return std::move(pending).error();
    }
    if (force && state.error().kind() == ErrorKind::not_found) return {};
    return std::move(state).error();
  }
  const ContainerStatus status = TRY(find_status(context, directory->get(), *state));
  if (!force && status != ContainerStatus::stopped && status != ContainerStatus::created)
    return Error::of(ErrorKind::in_use, "cannot delete container `%.*s` that is not stopped: %s",
                     static_cast<int>(id.size()), id.data(), to_string(status));
  fault_point("runtime.delete.found");
  if (status == ContainerStatus::creating) return end_creation(context, id, *state);
  return remove_all(context, id, *state);
}

}  // namespace slipway::runtime
