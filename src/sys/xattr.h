// Extended attributes of files and of entries of directories. The latter need /proc: there is no getxattrat(2) before
// 6.13.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"

namespace slipway::sys {

/// Names and values, sorted by name.
using Xattrs = std::vector<std::pair<std::string, std::string>>;

/// "/proc/self/fd/DIR/NAME": for calls that have no *at form.
std::string proc_path(int dir, const char* name);

/// The names, each with its NUL. A file system without attributes has none.
Result<std::string> list_xattrs(int fd);
/// The same for an entry of a directory; a symbolic link is not followed.
Result<std::string> list_xattrs_at(int dir, const char* entry);

/// All but those that `left_out` names.
Result<Xattrs> read_xattrs(int fd, bool (*left_out)(std::string_view name));
Result<Xattrs> read_xattrs_at(int dir, const char* entry, bool (*left_out)(std::string_view name));

}  // namespace slipway::sys
