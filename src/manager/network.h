// Networks of containers. host, none, container:ID and ns:PATH need nothing but a namespace; bridge networks
// are made by netavark.
#pragma once

#include "src/base/result.h"
#include "src/store/record.h"

namespace slipway::manager {

/// Errors: unsupported, the mode needs what is not installed.
Status check_network(const store::Record& record);

}  // namespace slipway::manager
