// Taking away what a container had. Every step may be repeated, so a removal that was cut short is finished
// by whoever finds it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/store/store.h"

namespace slipway::store {

/// Removes pending/<id> and all that its name, short id and read-write layer occupy. `locked_dir` is that
/// directory, locked by the caller.
Status discard_pending(Store& store, std::string_view id, const Fd& locked_dir);

/// The entries of a directory that do not begin with a dot.
Result<std::vector<std::string>> list_directory(int dir, const char* path);

/// The target of a symbolic link; "" when there is none.
std::string read_link(int dir, const char* path);

}  // namespace slipway::store
