// The release and the commit that the programs say they are.
#pragma once

#include <string>

namespace slipway::cli {

const char* version();

/// The commit that was built, or "unknown" outside a git checkout.
const char* commit();

/// What engines parse: "NAME version X\ncommit: Y\nspec: Z\n".
std::string version_text(const char* name);

}  // namespace slipway::cli
