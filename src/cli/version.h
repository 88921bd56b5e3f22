// What the programs say of themselves.
#pragma once

#include <string>

#include "src/base/version.h"

namespace slipway::cli {

/// What engines parse: "NAME version X\ncommit: Y\nspec: Z\n".
std::string version_text(const char* name);

}  // namespace slipway::cli
