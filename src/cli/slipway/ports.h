// -p, -P and --expose.
#pragma once

#include "src/cli/program.h"
#include "src/store/record.h"

namespace slipway::cli {

/// Fills config.exposed_ports, host.port_bindings and host.publish_all_ports.
Status read_ports(const Call& call, store::Record& record);

}  // namespace slipway::cli
