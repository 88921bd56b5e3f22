#include "src/manager/pause.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "src/base/fault.h"
#include "src/manager/engine.h"
#include "src/manager/events.h"
#include "src/store/containers.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

constexpr size_t kMarkLimit = 64;

Status mark(const store::Store& store, std::string_view id, std::string_view owner) {
  return sys::replace_file_at(store.run_fd(), pause_mark(id).c_str(), owner, 0600, false);
}

void remove_mark(const store::Store& store, std::string_view id) {
  unlinkat(store.run_fd(), pause_mark(id).c_str(), 0);
}

/// This process, as the mark names it.
std::string ourselves() {
  char text[kMarkLimit];
  snprintf(text, sizeof text, "%d %llu", getpid(),
           static_cast<unsigned long long>(process_start_time(getpid())));
  return text;
}

Status tell(store::Store& store, const char* action, std::string_view id) {
  Arena arena;
  container_event(store, action, *TRY(store::Containers(store).load(id, arena)));
  return {};
}

Error paused_already(std::string_view id) {
  return Error::of(ErrorKind::in_use, "Container %.*s is already paused", static_cast<int>(id.size()),
                   id.data());
}

}  // namespace

Status pause_container(store::Store& store, std::string_view id, PauseUntil until) {
  Arena arena;
  const Observed observed = TRY(observe(store, id, arena));
  if (observed.status == store::ContainerStatus::paused) return paused_already(id);
  if (!observed.is_running()) return not_running(id);
  TRY(mark(store, id, ourselves()));
  fault_point("pause.marked");
  Status frozen = engine_pause(store, id, true);
  if (!frozen.ok()) {
    // Somebody else has frozen it between our two looks, and may have marked it before us.
    if (frozen.error().kind() == ErrorKind::in_use && TRY(observe(store, id, arena)).is_running()) {
      TRY(mark(store, id, ""));
      return paused_already(id);
    }
    remove_mark(store, id);
    return frozen;
  }
  fault_point("pause.frozen");
  if (until == PauseUntil::unpaused) TRY(mark(store, id, ""));
  return tell(store, "pause", id);
}

Status unpause_container(store::Store& store, std::string_view id) {
  Arena arena;
  const Observed observed = TRY(observe(store, id, arena));
  if (observed.status != store::ContainerStatus::paused)
    return Error::of(ErrorKind::in_use, "Container %s is not paused", std::string(id).c_str());
  TRY(mark(store, id, ourselves()));
  Status thawed = engine_pause(store, id, false);
  // It moves already where a killed command has only marked it, or has thawed it.
  if (!thawed.ok() && thawed.error().kind() != ErrorKind::in_use) return thawed;
  fault_point("pause.thawed");
  remove_mark(store, id);
  return tell(store, "unpause", id);
}

void end_abandoned_pause(store::Store& store, std::string_view id) {
  auto text = sys::read_file_at(store.run_fd(), pause_mark(id).c_str(), kMarkLimit);
  int pid;
  unsigned long long start;
  if (!text.ok() || sscanf(text->c_str(), "%d %llu", &pid, &start) != 2 || process_lives(pid, start)) return;
  (void)unpause_container(store, id);
}

}  // namespace slipway::manager
