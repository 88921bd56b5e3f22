// The files that each container has of its own: /etc/hosts, /etc/hostname, /etc/resolv.conf.
#pragma once

#include <string>

#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::manager {

/// Writes them into the container's directory. `address` is the container's own, "" when it has none.
Status write_container_files(store::Store& store, int dir, const store::Record& record,
                             std::string_view address);

}  // namespace slipway::manager
