// The files that each container has of its own: /etc/hosts, /etc/hostname, /etc/resolv.conf.
#pragma once

#include <string>

#include "src/manager/network.h"
#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::manager {

/// Writes them into the container's directory, with the address and the name servers of its networks.
Status write_container_files(store::Store& store, int dir, const store::Record& record,
                             const NetworkSession& network);

}  // namespace slipway::manager
