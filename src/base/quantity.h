// Sizes and durations as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace slipway {

/// Bytes as docker reads them: "4096", "64KiB", "1.5GB", "1 g". Units are powers of 1024, in either case; a fraction may
/// stand before a unit. Not negative. Errors: usage.
Result<int64_t> parse_size(std::string_view text);

/// As Go reads durations: "1h30m", "1.5s", "-100ms", "0"; in nanoseconds. Errors: usage.
Result<int64_t> parse_duration(std::string_view text);

/// "1h30m0s", "1.5s", "100ms", "0s".
std::string duration_text(int64_t nanoseconds);

}  // namespace slipway
