// The state document (runtime.md, "State") with runc's additions, as `state` and `list` print it.
#pragma once

#include "src/base/json.h"
#include "src/runtime/runtime.h"

namespace slipway::cli {

void write_state(json::Writer& out, const runtime::State& state);

/// What is shown as the process ID: 0 when there is no process any more.
pid_t shown_pid(const runtime::State& state);

}  // namespace slipway::cli
