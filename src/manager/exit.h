// The end of a container, and its removal.
#pragma once

#include <string_view>

#include "src/base/result.h"
#include "src/store/store.h"

namespace slipway::manager {

/// docker's exit code for a start that failed: 126, 127, else 128.
int exit_code_of(const Error& error);

/// Whether the kernel killed a process of a container of ours for want of memory; asked before its cgroup goes.
bool was_oom_killed(std::string_view cgroup_parent, std::string_view id);

/// Removes a container that does not run: its layer, files and name, and with `volumes` its anonymous volumes.
/// Errors: not_found, in_use, and what keeps the runtime from deleting it: then it stays.
Status remove_container(store::Store& store, std::string_view id, bool volumes);

}  // namespace slipway::manager
