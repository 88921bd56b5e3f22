#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/fault.h"
#include "src/runtime/hooks.h"
#include "src/runtime/spawn.h"
#include "src/runtime/state_file.h"
#include "src/sys/file.h"

namespace slipway::runtime {

namespace {

constexpr int kExitTimeoutMs = 1000;

Status check_startable(const Context& context, int directory, const State& state) {
  switch (TRY(find_status(context, directory, state))) {
    case ContainerStatus::created:
      return {};
    case ContainerStatus::creating:
      return Error::of(ErrorKind::in_use, "cannot start a container that is being created");
    case ContainerStatus::stopped:
      return Error::of(ErrorKind::in_use, "cannot start a container that has stopped");
    case ContainerStatus::paused:
      // A created container may be paused, too.
      if (is_waiting(directory))
        return Error::of(ErrorKind::in_use, "cannot start a container that is paused");
      [[fallthrough]];
    default:
      return Error::of(ErrorKind::in_use, "cannot start an already running container");
  }
}

/// Until init has executed the program (the fifo's last writer is gone), or says why it could not.
Status await_execution(int result, int init) {
  pollfd fds[2] = {{result, POLLIN, 0}, {init, POLLIN, 0}};
  while (poll(fds, 2, -1) < 0)
    if (errno != EINTR) return Error::sys(errno, "wait for the container");
  Failure failure;
  const ssize_t size = read(result, &failure, sizeof failure);
  if (size == sizeof failure) {
    // So that the container is stopped when the caller looks.
    poll(&fds[1], 1, kExitTimeoutMs);
    return to_error(failure);
  }
  if (fds[0].revents) return {};
  return Error::of(ErrorKind::failed, "the container's process has died before it executed its program");
}

Status run_poststart_hooks(const Context& context, const State& state) {
  Arena arena;
  const oci::Spec* spec = TRY(load_spec(context, state.id, arena));
  if (!spec->hooks || spec->hooks->poststart.empty()) return {};
  const HookListPlan hooks = plan_hooks(*spec, "poststart", spec->hooks->poststart, arena);
  const HookStatePlan running = plan_hook_state(state, "running", arena);
  set_hook_pid(running, state.pid);
  return run_hooks(hooks, running);
}

}  // namespace

Status start(const Context& context, std::string_view id) {
  const Fd directory = TRY(open_container(context, id));
  // Of two calls at once one finds the fifo gone.
  if (flock(directory.get(), LOCK_EX) < 0) return Error::sys(errno, "lock the container");
  const State state = TRY(read_state(directory.get(), id));
  TRY(check_startable(context, directory.get(), state));
  const Fd init = TRY(open_init(state));
  const Fd result = TRY(sys::open_at(directory.get(), kResultFifo, O_RDONLY | O_NONBLOCK | O_NOFOLLOW));
  const Fd fifo = TRY(sys::open_at(directory.get(), kStartFifo, O_WRONLY | O_NONBLOCK | O_NOFOLLOW));
  fault_point("runtime.start.opened");
  // The word first: if we are killed between the two, init runs or can be told again, and does not wait for ever.
  TRY(sys::write_all(fifo.get(), "0"));
  fault_point("runtime.start.told");
  unlinkat(directory.get(), kStartFifo, 0);
  // A hook that calls start() again finds it gone, and does not wait for itself.
  flock(directory.get(), LOCK_UN);
  fault_point("runtime.start.taken");
  TRY(await_execution(result.get(), init.get()));
  fault_point("runtime.start.executed");
  unlinkat(directory.get(), kResultFifo, 0);
  Status hooks = run_poststart_hooks(context, state);
  if (hooks.ok()) return {};
  // "The runtime MUST ... stop the container": and nothing is left of it.
  const Status deleted = delete_container(context, id, true);
  if (!deleted.ok()) hooks.error().add_hint("the container could not be removed");
  return hooks;
}

}  // namespace slipway::runtime
