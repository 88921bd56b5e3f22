// Watching a container: statistics at intervals, and out-of-memory events as they happen.
#pragma once

#include <functional>
#include <string_view>

#include "src/base/result.h"
#include "src/runtime/runtime.h"

namespace slipway::runtime {

/// Calls `line` with one line of JSON (without a newline) for each event: the statistics every `interval`
/// milliseconds, {"type":"oom","id":ID} whenever the kernel's OOM killer strikes. Returns when the container
/// has stopped, or with the error of `line`.
Status watch_events(const Context& context, std::string_view id, int64_t interval,
                    const std::function<Status(std::string_view)>& line);

/// The statistics, once. in_use: the container has stopped.
Result<std::string> stats_line(const Context& context, std::string_view id);

}  // namespace slipway::runtime
