// `system migrate`: all layers and containers move to another graph driver. Nothing is fetched again: layers are
// unpacked from the content store, containers' changes are carried over as a tar.
//
// The store goes on using the old driver until every tree in the new one has been compared with the old one;
// then the file `driver` in the store's root is replaced, which is the switch. Killed before that, nothing has
// changed for anybody, and the next migration goes on where this one stopped; killed after it, what is left of
// the old driver is removed by the next.
#pragma once

#include <functional>
#include <string>

#include "src/manager/layer_import.h"
#include "src/store/store.h"

namespace slipway::manager {

/// What is being done ("layer", "container", "compare", "remove"), and with what.
using MigrateProgress = std::function<void(const char* step, const std::string& id)>;

/// Errors: in_use while a container runs; unsupported when the driver does not work here; failed when a tree
/// differs.
Status migrate_store(store::ImageStore& images, store::Store& store, const std::string& to,
                     const MigrateProgress& progress);

}  // namespace slipway::manager
