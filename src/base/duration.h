// Durations as Go writes them.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/base/result.h"

namespace slipway {

/// "1h30m", "1.5s", "100ms" as nanoseconds. Errors: usage.
Result<int64_t> parse_duration(std::string_view text);

}  // namespace slipway
