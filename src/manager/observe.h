// What is true of a container at this moment. state.json says what its monitor last knew; whether the monitor
// and the container's init live, only the kernel says.
#pragma once

#include <string_view>

#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::manager {

struct Observed {
  store::State* state = nullptr;  // corrected: what cannot be true any more is replaced
  store::ContainerStatus status = store::ContainerStatus::created;
  bool monitored = false;  // its monitor lives
  bool lost = false;       // it has ended, and its monitor did not live to see that

  /// The container's init lives (perhaps frozen).
  bool is_running() const {
    return status == store::ContainerStatus::running || status == store::ContainerStatus::paused;
  }
};

/// `id` is a whole id. Errors: not_found.
Result<Observed> observe(store::Store& store, std::string_view id, Arena& arena);

/// Where the monitor of a container keeps its socket, below the store's run directory: "monitors/<id>".
std::string monitor_dir(std::string_view id);

/// What is there, below the store's run directory, while a container is paused (pause.h).
std::string pause_mark(std::string_view id);

Error not_running(std::string_view id);

/// The process that has this id and was started at this time lives.
bool process_lives(int pid, uint64_t start_time);
/// Field 22 of /proc/PID/stat, or 0 when there is no such process (or only its corpse).
uint64_t process_start_time(int pid);

}  // namespace slipway::manager
