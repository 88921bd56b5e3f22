#include "src/manager/lifecycle.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "oci/names.h"
#include "src/manager/engine.h"
#include "src/manager/events.h"
#include "src/manager/pause.h"
#include "src/manager/wire.h"
#include "src/store/containers.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

constexpr int kDefaultStopTimeout = 10;   // seconds
constexpr int64_t kKillTimeout = 10'000;  // milliseconds until we give up on SIGKILL
constexpr int64_t kRestartLook = 100;     // milliseconds between looks at one that is being restarted
constexpr int kDeleteAttempts = 5;

int64_t monotonic_ms() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

/// Listens to the monitor until it says the exit code, or is gone; then nothing.
std::optional<int> listen_for_exit(const Fd& socket, int64_t until_ms) {
  char buffer[wire::kLargestPayload + 1];
  for (;;) {
    pollfd fd = {socket.get(), POLLIN, 0};
    const int64_t left = until_ms < 0 ? -1 : std::max<int64_t>(until_ms - monotonic_ms(), 0);
    const int ready = poll(&fd, 1, static_cast<int>(std::min<int64_t>(left, 1 << 30)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return {};
    auto got = wire::receive(socket.get(), buffer, sizeof buffer, true);
    if (!got.ok() || *got == 0) return {};
    if (buffer[0] != wire::kExited || *got != 1 + sizeof(int32_t)) continue;
    int32_t code;
    memcpy(&code, buffer + 1, sizeof code);
    return code;
  }
}

/// The event first: the monitor tells of the death as soon as there is one.
Status signal_and_tell(store::Store& store, const store::Record& record, int signal) {
  container_event(store, "kill", record, {{"signal", std::to_string(signal)}});
  return engine_signal(store, record.id, signal);
}

bool ends_it(const store::Record& record, int signal) {
  if (signal == SIGKILL) return true;
  auto stop = oci::parse_signal(record.config.stop_signal.empty() ? Str("TERM") : record.config.stop_signal);
  return stop.ok() && *stop == signal;
}

}  // namespace

Result<Fd> monitor_socket(store::Store& store, std::string_view id) {
  const Fd dir = TRY(sys::open_at(store.run_fd(), monitor_dir(id).c_str(), O_RDONLY | O_DIRECTORY));
  return wire::connect(dir.get(), "socket");
}

namespace {

/// A file in the container's directory, which its monitor looks for.
Status set_mark(store::Store& store, std::string_view id, const char* name, bool set) {
  const Fd dir = TRY(store::Containers(store).open(id));
  if (set) {
    TRY(sys::open_at(dir.get(), name, O_WRONLY | O_CREAT, 0600));
  } else if (unlinkat(dir.get(), name, 0) < 0 && errno != ENOENT) {
    return Error::sys(errno, "remove `%s`", name);
  }
  return {};
}

}  // namespace

Status set_stopped(store::Store& store, std::string_view id, bool stopped) {
  return set_mark(store, id, kStoppedMark, stopped);
}

Status set_restarting(store::Store& store, std::string_view id, bool restarting) {
  return set_mark(store, id, kRestartingMark, restarting);
}

Result<std::optional<int>> wait_container(store::Store& store, std::string_view id, int64_t timeout_ms) {
  const int64_t until = timeout_ms < 0 ? -1 : monotonic_ms() + timeout_ms;
  bool seen = false;
  for (;;) {
    Arena arena;
    auto observed = observe(store, id, arena);
    if (!observed.ok()) {
      // Removed by itself (--rm) while we waited, but its last word has passed us by.
      if (seen && observed.error().kind() == ErrorKind::not_found) return std::optional<int>(0);
      return std::move(observed).error();
    }
    seen = true;
    using store::ContainerStatus;
    const ContainerStatus status = observed->status;
    if (status == ContainerStatus::exited || status == ContainerStatus::dead ||
        status == ContainerStatus::created)
      return std::optional<int>(observed->state->exit_code);
    if (observed->monitored) {
      auto socket = monitor_socket(store, id);
      if (socket.ok()) {
        const std::optional<int> code = listen_for_exit(*socket, until);
        if (code) return code;
      }
    }
    if (until >= 0 && monotonic_ms() >= until) return std::optional<int>();
    // It has no monitor that could tell, or one that is just coming or going.
    const timespec pause = {0, 20'000'000};
    nanosleep(&pause, nullptr);
  }
}

Status kill_container(store::Store& store, std::string_view id, int signal) {
  Arena arena;
  const store::Record* record = TRY(store::Containers(store).load(id, arena));
  const Observed observed = TRY(observe(store, id, arena));
  // As docker: it is not started again.
  if (observed.status == store::ContainerStatus::restarting) return stop_container(store, id, 0);
  if (!observed.is_running()) return not_running(id);
  if (ends_it(*record, signal)) TRY(set_stopped(store, id, true));
  TRY(signal_and_tell(store, *record, signal));
  // A frozen container could not even die of SIGKILL where the freezer is v1's.
  if (observed.status == store::ContainerStatus::paused && signal == SIGKILL)
    (void)unpause_container(store, id);
  // docker returns when it is dead, so that `kill` and `rm` can follow each other.
  if (signal == SIGKILL) (void)wait_container(store, id, kKillTimeout);
  return {};
}

Status stop_container(store::Store& store, std::string_view id, std::optional<int> seconds,
                      std::optional<int> first) {
  Arena arena;
  const store::Record* record = TRY(store::Containers(store).load(id, arena));
  Observed observed = TRY(observe(store, id, arena));
  TRY(set_stopped(store, id, true));
  // One that its monitor is just making again runs before it hears of this.
  for (const int64_t until = monotonic_ms() + kKillTimeout;
       observed.status == store::ContainerStatus::restarting && monotonic_ms() < until;) {
    auto socket = monitor_socket(store, id);
    if (socket.ok()) {
      (void)wire::send(socket->get(), wire::kStop, nullptr, 0, true);
      (void)listen_for_exit(*socket, monotonic_ms() + kRestartLook);
    }
    observed = TRY(observe(store, id, arena));
  }
  if (!observed.is_running()) return {};
  if (observed.status == store::ContainerStatus::paused) TRY(unpause_container(store, id));
  const int timeout = seconds ? *seconds : record->config.stop_timeout.value_or(kDefaultStopTimeout);
  const Str name = record->config.stop_signal.empty() ? Str("TERM") : record->config.stop_signal;
  const int signal = first ? *first : TRY(oci::parse_signal(name));
  Status signalled = signal_and_tell(store, *record, signal);
  if (signalled.ok() || signalled.error().kind() != ErrorKind::in_use) TRY(std::move(signalled));
  const auto ended = [&](int64_t timeout_ms) -> Result<bool> {
    auto code = wait_container(store, id, timeout_ms);
    if (!code.ok() && code.error().kind() == ErrorKind::not_found) return true;  // --rm
    return TRY(std::move(code)).has_value();
  };
  if (TRY(ended(timeout < 0 ? -1 : int64_t{timeout} * 1000))) {
    container_event(store, "stop", *record);
    return {};
  }
  Status killed = signal_and_tell(store, *record, SIGKILL);
  if (!killed.ok() && killed.error().kind() != ErrorKind::in_use) return killed;
  if (!TRY(ended(kKillTimeout)))
    return Error::of(ErrorKind::failed, "container %s did not end after SIGKILL", std::string(id).c_str());
  container_event(store, "stop", *record);
  return {};
}

namespace {

/// One try. By force it kills what lives at this moment.
Status try_to_delete(store::Store& store, std::string_view id, const RemovalOptions& options) {
  Arena arena;
  auto observed = observe(store, id, arena);
  if (!observed.ok() && observed.error().kind() == ErrorKind::not_found) return std::move(observed).error();
  using store::ContainerStatus;
  const bool alive =
      observed.ok() && (observed->is_running() || observed->status == ContainerStatus::restarting);
  if (alive && options.forced) {
    TRY(set_stopped(store, id, true));
    if (observed->status == ContainerStatus::restarting) {
      TRY(stop_container(store, id, 0));
    } else {
      Status killed = kill_container(store, id, SIGKILL);
      if (!killed.ok() && killed.error().kind() != ErrorKind::in_use) return killed;
      auto code = wait_container(store, id, kKillTimeout);
      if (!code.ok() && code.error().kind() == ErrorKind::not_found) return {};  // --rm was faster
      if (!TRY(std::move(code)))
        return Error::of(ErrorKind::failed, "container %s did not end after SIGKILL",
                         std::string(id).c_str());
    }
  }
  Status removed = remove_container(store, id, options);
  // The same: its monitor may have removed it between our looks.
  if (!removed.ok() && removed.error().kind() == ErrorKind::not_found && alive) return {};
  return removed;
}

}  // namespace

Status delete_container(store::Store& store, std::string_view id, const RemovalOptions& options) {
  for (int attempt = 1;; ++attempt) {
    Status removed = try_to_delete(store, id, options);
    // It was being started, and runs by now.
    const bool started = !removed.ok() && removed.error().kind() == ErrorKind::in_use;
    if (!options.forced || !started || attempt == kDeleteAttempts) return removed;
  }
}

}  // namespace slipway::manager
