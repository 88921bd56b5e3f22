// What is done to containers that exist: wait, signal, stop, remove.
#pragma once

#include <optional>
#include <string_view>

#include "src/base/fd.h"
#include "src/manager/exit.h"
#include "src/manager/observe.h"
#include "src/store/store.h"

namespace slipway::manager {

/// A conversation with the container's monitor (wire.h). Errors: not_found, when it has none.
Result<Fd> monitor_socket(store::Store& store, std::string_view id);

/// Until the container has ended for good; its exit code. `timeout_ms` < 0: for ever; nothing when it ran out.
/// Errors: not_found.
Result<std::optional<int>> wait_container(store::Store& store, std::string_view id, int64_t timeout_ms);

/// Errors: in_use "Container X is not running". SIGKILL and the container's stop signal also mean that it is
/// not to be restarted.
Status kill_container(store::Store& store, std::string_view id, int signal);

/// The stop signal, and SIGKILL when it is still there after `seconds` (-1: never). A container that does not
/// run is stopped already. What is absent is the container's own, else SIGTERM and 10.
Status stop_container(store::Store& store, std::string_view id, std::optional<int> seconds = {},
                      std::optional<int> first = {});

/// With RemovalOptions::forced a running container is killed first. Errors: not_found, in_use.
Status delete_container(store::Store& store, std::string_view id, const RemovalOptions& options);

/// Notes that the user wants it to run, or to stay stopped: what restart policies ask.
Status set_stopped(store::Store& store, std::string_view id, bool stopped);
inline constexpr char kStoppedMark[] = "stopped";

/// Notes that a container of --rm is about to be started again: its end is not the last one. Without somebody who has
/// the container's lock, what is left of it then is taken for a leftover.
Status set_restarting(store::Store& store, std::string_view id, bool restarting);
inline constexpr char kRestartingMark[] = "restarting";

}  // namespace slipway::manager
