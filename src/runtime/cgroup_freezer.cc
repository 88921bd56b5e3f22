// Freezing and thawing, with the waiting that each version needs; and waiting for a cgroup to become empty.
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/fault.h"
#include "src/runtime/cgroup_fs.h"
#include "src/sys/file.h"

namespace slipway::runtime {
namespace {

constexpr int kPatience = 10'000;  // milliseconds

int64_t now_ms() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

void pause_us(long microseconds) {
  const timespec span = {0, microseconds * 1000};
  nanosleep(&span, nullptr);
}

/// Waits until a key of cgroup.events has the value. The kernel tells of changes by POLLPRI on a descriptor
/// that has been read.
bool wait_event(const ControlDirectory& directory, std::string_view key, uint64_t value, int milliseconds) {
  const Fd events(openat(directory.fd(), "cgroup.events", O_RDONLY | O_CLOEXEC));
  if (!events) return errno == ENOENT || errno == ENODEV;  // removed: neither populated nor frozen
  const int64_t end = now_ms() + milliseconds;
  for (;;) {
    if (lseek(events.get(), 0, SEEK_SET) < 0) return true;
    Result<std::string> text = sys::read_all(events.get(), 4096);
    if (!text.ok()) return true;
    if (flat_keyed(*text, key, value) == value) return true;
    const int64_t left = end - now_ms();
    if (left <= 0) return false;
    pollfd waiting = {events.get(), POLLPRI, 0};
    if (poll(&waiting, 1, static_cast<int>(left)) < 0 && errno != EINTR) return false;
  }
}

}  // namespace

bool wait_unpopulated(const ControlDirectory& directory, int milliseconds) {
  return wait_event(directory, "populated", 0, milliseconds);
}

Status freeze_v2(const ControlDirectory& directory, bool frozen) {
  TRY(directory.write("cgroup.freeze", frozen ? "1" : "0"));
  fault_point("runtime.freeze.written");
  if (wait_event(directory, "frozen", frozen ? 1 : 0, kPatience)) return {};
  // An ancestor that is frozen keeps its descendants frozen: thawed here is all that was asked for.
  if (!frozen) return {};
  Status ignored = directory.write("cgroup.freeze", "0");
  (void)ignored;
  return Error::of(ErrorKind::failed, "unable to freeze `%s`: processes do not stop",
                   directory.path().c_str());
}

Status freeze_v1(const ControlDirectory& freezer, bool frozen) {
  if (!frozen) return freezer.write("freezer.state", "THAWED");
  const int64_t end = now_ms() + kPatience;
  // The v1 freezer can hang in FREEZING: when a process forks while it is frozen, or waits in vfork. Writing
  // FROZEN again helps; after many tries, only thawing for a moment does.
  for (int tries = 0; now_ms() < end; ++tries) {
    if (tries % 50 == 49) {
      TRY(freezer.write("freezer.state", "THAWED"));
      pause_us(10'000);
    }
    TRY(freezer.write("freezer.state", "FROZEN"));
    fault_point("runtime.freeze.written");
    const std::string state = TRY(freezer.read("freezer.state"));
    if (state.starts_with("FROZEN")) return {};
    pause_us(tries % 25 < 5 ? 50 : 1000);
  }
  Status ignored = freezer.write("freezer.state", "THAWED");
  (void)ignored;
  return Error::of(ErrorKind::failed, "unable to freeze `%s`: processes do not stop", freezer.path().c_str());
}

}  // namespace slipway::runtime
