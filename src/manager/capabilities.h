// The capabilities of a container: docker's default set, --cap-add, --cap-drop and --privileged.
#pragma once

#include "src/base/result.h"
#include "src/store/record.h"

namespace slipway::manager {

/// "CAP_..." names, in the kernel's order. Errors: usage, an unknown name.
Result<List<Str>> effective_capabilities(const store::HostConfig& host, Arena& arena);

}  // namespace slipway::manager
