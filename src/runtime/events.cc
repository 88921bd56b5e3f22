#include "src/runtime/events.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/json.h"
#include "src/runtime/cgroup_control.h"
#include "src/runtime/state_file.h"
#include "src/runtime/stats.h"

namespace slipway::runtime {
namespace {

int64_t now_ms() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

std::string oom_event(std::string_view id) {
  json::Writer json;
  json.begin_object();
  json.key("type").string("oom");
  json.key("id").string(id);
  json.end_object();
  return std::string(json.text());
}

/// Tells of OOM kills: v1 by an eventfd that is registered in cgroup.event_control, v2 by POLLPRI on
/// memory.events.
class OomWatch {
 public:
  /// Watches nothing when there is no memory controller.
  static Result<OomWatch> begin(const Cgroup& cgroup) {
    OomWatch watch;
    for (const auto& [controller, path] : cgroup.directories()) {
      if (controller == "memory") {
        const ControlDirectory directory = TRY(ControlDirectory::open(path));
        TRY(watch.begin_v1(directory));
        return watch;
      }
      if (!controller.empty()) continue;
      const ControlDirectory directory = TRY(ControlDirectory::open(path));
      watch.events_ = Fd(openat(directory.fd(), "memory.events", O_RDONLY | O_CLOEXEC));
    }
    watch.kills_ = watch.read_kills();
    return watch;
  }

  pollfd to_poll() const { return {events_.get(), static_cast<short>(v1_ ? POLLIN : POLLPRI), 0}; }

  /// After poll() said so: whether something was killed since.
  bool happened() {
    if (v1_) {
      uint64_t count = 0;
      return read(events_.get(), &count, sizeof count) == sizeof count && count > 0;
    }
    const uint64_t kills = read_kills();
    return std::exchange(kills_, kills) < kills;
  }

 private:
  Status begin_v1(const ControlDirectory& directory) {
    v1_ = true;
    events_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!events_) return Error::sys(errno, "eventfd");
    control_ = Fd(openat(directory.fd(), "memory.oom_control", O_RDONLY | O_CLOEXEC));
    if (!control_) return Error::sys(errno, "open `%s/memory.oom_control`", directory.path().c_str());
    return directory.write("cgroup.event_control",
                           std::to_string(events_.get()) + " " + std::to_string(control_.get()));
  }

  uint64_t read_kills() const {
    char text[512];
    const ssize_t got = events_ ? pread(events_.get(), text, sizeof text, 0) : 0;
    return got > 0 ? flat_keyed({text, static_cast<size_t>(got)}, "oom_kill", 0) : 0;
  }

  bool v1_ = false;
  Fd events_, control_;
  uint64_t kills_ = 0;
};

Result<State> running_state(const Context& context, std::string_view id) {
  State state = TRY(load_state(context, id));
  if (state.status == ContainerStatus::stopped)
    return Error::of(ErrorKind::in_use, "container not running: `%s` has stopped", state.id.c_str());
  return state;
}

}  // namespace

Result<std::string> stats_line(const Context& context, std::string_view id) {
  const State state = TRY(running_state(context, id));
  const std::unique_ptr<Cgroup> cgroup = TRY(open_cgroup(context, state.cgroup));
  return stats_event(id, TRY(read_stats(*cgroup)));
}

Status watch_events(const Context& context, std::string_view id, int64_t interval,
                    const std::function<Status(std::string_view)>& line) {
  const State state = TRY(running_state(context, id));
  const std::unique_ptr<Cgroup> cgroup = TRY(open_cgroup(context, state.cgroup));
  const Fd init = TRY(open_init(state));
  OomWatch oom = TRY(OomWatch::begin(*cgroup));
  for (int64_t next = now_ms();;) {
    const int64_t left = next - now_ms();
    if (left <= 0) {
      next += interval;
      Result<Stats> stats = read_stats(*cgroup);
      if (!stats.ok()) return {};  // gone
      TRY(line(stats_event(id, *stats)));
      continue;
    }
    pollfd waiting[] = {{init.get(), POLLIN, 0}, oom.to_poll()};
    if (poll(waiting, 2, static_cast<int>(left < 3'600'000 ? left : 3'600'000)) < 0 && errno != EINTR)
      return Error::sys(errno, "poll");
    // The kernel holds v2's notices back for up to 10 ms; an init that the killer took is seen to end before.
    if ((waiting[0].revents || waiting[1].revents) && oom.happened()) TRY(line(oom_event(id)));
    if (waiting[0].revents) return {};
  }
}

}  // namespace slipway::runtime
