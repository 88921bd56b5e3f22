// Mounts of a running container, added and taken away (crun's `mounts`).
#pragma once

#include <string_view>

#include "oci/spec.h"
#include "src/runtime/runtime.h"

namespace slipway::runtime {

/// Performs the mounts in the container's namespaces, in their order; sources are those of the host. What has been
/// mounted before one fails stays. in_use: "container not running".
Status add_mounts(const Context& context, std::string_view id, const List<oci::Mount>& mounts);
/// Takes away what is mounted on their destinations, the last first.
Status remove_mounts(const Context& context, std::string_view id, const List<oci::Mount>& mounts);

}  // namespace slipway::runtime
