// The init of --init, on the host.
#pragma once

#include "src/base/arena.h"
#include "src/base/result.h"

namespace slipway::manager {

/// slip, where it stands beside this program; else a docker-init, tini or catatonit that is installed.
/// Errors: not_found.
Result<Str> find_init_program(Arena& arena);

}  // namespace slipway::manager
