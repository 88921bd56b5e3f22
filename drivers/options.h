// Values of `--storage-opt key=value`.
#pragma once

#include <cstdint>
#include <string_view>

#include "drivers/driver.h"
#include "src/base/result.h"

namespace slipway::drivers {

/// A number of bytes as docker reads it: digits, perhaps a fraction, and b, k, m, g, t, p (powers of 1024,
/// with or without "b" or "ib"), in either case.
Result<uint64_t> parse_size(std::string_view text);

/// "true", "1", "false", "0", "on", "off", "yes", "no".
Result<bool> parse_switch(std::string_view text);

/// What a driver says of an option that it does not know.
Error unknown_option(const char* driver, std::string_view key);

}  // namespace slipway::drivers
