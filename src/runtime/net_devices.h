// linux.netDevices (config-linux.md): devices of the host that become the container's.
#pragma once

#include "oci/spec.h"
#include "src/base/result.h"

namespace slipway::runtime {

/// Moves the devices into the network namespace, names them, gives them the addresses back that they had (the
/// permanent ones of global scope), and raises them. The caller has one thread: it enters the namespace for a
/// moment. When the namespace ends, the kernel gives physical devices back to the host; virtual ones end.
Status move_net_devices(const Map<oci::NetDevice>& devices, int network_namespace);

}  // namespace slipway::runtime
