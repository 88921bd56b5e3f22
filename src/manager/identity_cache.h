// Who an image's user is, remembered: to look it up the root file system must be mounted, and letting go of a
// mount costs a grace period of the kernel, often more than all else that a start does.
#pragma once

#include "src/manager/identity.h"
#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::manager {

/// Only for a container that has never run, and into which nothing was copied: then its files are the image's. The
/// answers are kept beside the record of the image's top layer, whose chain ID stands for its content, and go with
/// it. Nothing when there is none.
Opt<Identity> remembered_identity(const store::Store& store, const store::Record& record, Arena& arena);
void remember_identity(const store::Store& store, const store::Record& record, const Identity& identity);

}  // namespace slipway::manager
