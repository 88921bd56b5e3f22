// The monitor of a container: a small process that makes it, owns its streams, keeps its log, lets others
// attach, and records how it ended. It is started by the command that starts the container and outlives it.
// One container, one monitor; nothing else keeps a container going.
#pragma once

#include "src/base/fd.h"
#include "src/manager/monitor_process.h"
#include "src/store/store.h"

namespace slipway::manager {

/// In its process (see monitor_process.h); never returns. `conversation` is told whether the container started, and
/// how it ended. The lock on `locked_dir` is the command's, too: it is let go as soon as the container runs.
[[noreturn]] void run_monitor(store::Store& store, const LaunchOrder& order, Fd locked_dir, Fd conversation);

/// Tells the command why there is no container.
void send_failure(int conversation, const Error& error);

}  // namespace slipway::manager
