// Who a further process of a running container runs as.
#pragma once

#include <string_view>

#include "src/manager/identity.h"
#include "src/store/store.h"

namespace slipway::manager {

/// As find_identity(), by the files that the running container sees.
Result<Identity> find_exec_identity(store::Store& store, std::string_view id, std::string_view user,
                                    const List<Str>& extra_groups, Arena& arena);

/// The root directory of a container: what its processes see when it runs, else its layer mounted detached.
Result<Fd> open_container_root(store::Store& store, std::string_view id);

}  // namespace slipway::manager
