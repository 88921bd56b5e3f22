// The monitor of a container: a small process that makes it, owns its streams, keeps its log, lets others
// attach, and records how it ended. It is forked from the command that starts the container and outlives it.
// One container, one monitor; nothing else keeps a container going.
#pragma once

#include <memory>

#include "src/base/fd.h"
#include "src/manager/launch.h"

namespace slipway::manager {

/// In the forked child; never returns. `conversation` is told whether the container started, and how it
/// ended. `container_dir` is shared with the parent, who holds the lock on it.
[[noreturn]] void run_monitor(store::Store& store, std::unique_ptr<Prepared> prepared, Fd container_dir,
                              Fd conversation, uint8_t attach);

}  // namespace slipway::manager
