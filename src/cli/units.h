// Quantities as people write them on a command line. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/base/result.h"

namespace slipway::cli {

/// Bytes: "512m", "1g", "64KiB", "1.5GB", "4096". Units are powers of 1024, upper or lower case; a fraction
/// may stand in front of a unit. ErrorKind::usage.
Result<int64_t> parse_byte_count(std::string_view text);

/// As Go prints and reads durations: "5s", "100ms", "1m30s", "1.5h". In milliseconds, rounded down; not
/// negative.
Result<int64_t> parse_go_duration(std::string_view text);

}  // namespace slipway::cli
