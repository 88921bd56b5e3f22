// A container's file system tree: how it is made, and whole, for those who read it from outside.
#pragma once

#include <string_view>

#include "src/base/fd.h"
#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::manager {

/// Makes of a read-write layer's mount one to look at: an overlay's upper directory becomes one more lower one. Mounting it
/// as an upper directory twice would have the second mount clean up the work directory under the first.
void make_read_only(sys::MountSpec& spec);

/// The tree without volumes and other mounts, read-only, mounted nowhere: it vanishes with the descriptor.
/// Works beside a running container, whose own mount is not disturbed.
Result<Fd> open_container_tree(store::Store& store, std::string_view id);

/// How the driver is to make the container's read-write layer (--storage-opt; nobody needs that of --rm after a crash of
/// the machine). Errors: invalid.
Result<drivers::RwOptions> layer_options(const store::Record& record);

}  // namespace slipway::manager
