#include "src/manager/observe.h"

#include <fcntl.h>
#include <unistd.h>

#include "src/store/containers.h"
#include "src/store/lock.h"
#include "src/sys/proc.h"

namespace slipway::manager {

namespace {

constexpr int kUnknownExitCode = 255;  // its monitor was killed, so nobody knows

bool is_locked(const store::Store& store, const std::string& dir) {
  auto lock = store::try_lock_directory(store.run_fd(), dir.c_str(), store::LockMode::shared);
  return lock.ok() && !lock->has_value();
}

}  // namespace

std::string monitor_dir(std::string_view id) {
  return "monitors/" + std::string(id);
}

std::string pause_mark(std::string_view id) {
  return monitor_dir(id) + "/paused";
}

Error not_running(std::string_view id) {
  return Error::of(ErrorKind::in_use, "Container %.*s is not running", static_cast<int>(id.size()),
                   id.data());
}

uint64_t process_start_time(int pid) {
  if (pid <= 0) return 0;
  auto stat = sys::read_process_stat(pid);
  return stat.ok() && stat->state != 'Z' && stat->state != 'X' ? stat->start_time : 0;
}

bool process_lives(int pid, uint64_t start_time) {
  return start_time != 0 && process_start_time(pid) == start_time;
}

Result<Observed> observe(store::Store& store, std::string_view id, Arena& arena) {
  using store::ContainerStatus;
  Observed out;
  out.state = TRY(store::Containers(store).load_state(id, arena));
  const std::string_view said = out.state->status;
  if (said == "created") return out;
  if (said == "exited") {
    out.status = ContainerStatus::exited;
    return out;
  }
  const std::string dir = monitor_dir(id);
  out.monitored = is_locked(store, dir);
  if (out.monitored && said == "restarting") {
    out.status = ContainerStatus::restarting;
    return out;
  }
  // The run directory goes with a reboot, and a process id of before the reboot means nothing.
  const bool same_boot = faccessat(store.run_fd(), dir.c_str(), F_OK, 0) == 0;
  if (said == "running" &&
      (out.monitored || (same_boot && process_lives(out.state->pid, out.state->pid_start_time)))) {
    const bool paused = faccessat(store.run_fd(), pause_mark(id).c_str(), F_OK, 0) == 0;
    out.status = paused ? ContainerStatus::paused : ContainerStatus::running;
    return out;
  }
  out.lost = true;
  out.status = ContainerStatus::exited;
  out.state->status = "exited";
  out.state->exit_code = kUnknownExitCode;
  out.state->pid = 0;
  if (out.state->finished_at.empty()) out.state->finished_at = out.state->started_at;
  out.state->error = "its monitor was killed; how it ended is not known";
  return out;
}

}  // namespace slipway::manager
