// The end of a container, and its removal.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/manager/engine.h"
#include "src/store/store.h"

namespace slipway::manager {

/// docker's exit code for a start that failed: 126, 127, else 128.
int exit_code_of(const Error& error);

/// Whether the kernel killed a process of a container of ours for want of memory; asked before its cgroup goes.
bool was_oom_killed(std::string_view cgroup_parent, std::string_view id);

struct RemovalOptions {
  bool volumes = false;         // its anonymous volumes, too
  int patience_ms = kPatience;  // see engine_delete()
  // Not null: it goes even if its own runtime cannot delete it, if nothing of it lives; here is then what that said.
  std::string* forced = nullptr;
};

/// Removes a container that does not run: its layer, files and name.
/// Errors: not_found, in_use, and what keeps the runtime from deleting it: then it stays.
Status remove_container(store::Store& store, std::string_view id, const RemovalOptions& options);

}  // namespace slipway::manager
