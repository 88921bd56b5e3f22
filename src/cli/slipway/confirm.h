// "Are you sure?"
#pragma once

#include <string_view>

#include "src/base/result.h"

namespace slipway::cli {

/// Prints the warning and asks on standard output; reads the answer from standard input. Anything but y and
/// yes, the end of the input too, means no.
Result<bool> confirm(std::string_view warning);

}  // namespace slipway::cli
