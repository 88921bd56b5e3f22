// The containers that a command line means: one ID, or with --regex all whose IDs match.
#pragma once

#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/runtime/runtime.h"

namespace slipway::cli {

/// `pattern` is an extended regular expression (POSIX), found anywhere in the ID. invalid: it is none.
Result<std::vector<std::string>> matching_ids(const runtime::Context& context, const char* pattern);

}  // namespace slipway::cli
