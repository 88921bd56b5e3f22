// What a container has changed against its image.
#pragma once

#include <vector>

#include "drivers/driver.h"
#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::manager {

/// The driver's changes, without the empty files and directories that were made for mounts to cover, and
/// without the directories that seem changed only for their sake.
Result<std::vector<drivers::Change>> container_changes(store::Store& store, const store::Record& record);

}  // namespace slipway::manager
