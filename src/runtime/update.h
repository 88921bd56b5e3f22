// Changing the limits of a container that exists.
#pragma once

#include <string_view>

#include "oci/spec.h"
#include "src/base/result.h"
#include "src/runtime/runtime.h"

namespace slipway::runtime {

/// Applies what is present in `changes`, all of it or nothing, and keeps it in the container's config.json.
/// Absent properties stay as they are, on disk and in the kernel. in_use: the container has stopped.
Status update(const Context& context, std::string_view id, const oci::Resources& changes);

/// Sets the Intel RDT schemata of a container that was created with linux.intelRdt; "" leaves one as it is.
/// unsupported: it was created without, or there is no resctrl file system.
Status update_intel_rdt(const Context& context, std::string_view id, Str l3_cache_schema, Str mem_bw_schema);

/// Puts what is present in `changes` over `into`: values, list by list, and maps key by key. The result shares
/// what both point to.
void merge_resources(oci::Resources& into, const oci::Resources& changes, Arena& arena);

}  // namespace slipway::runtime
