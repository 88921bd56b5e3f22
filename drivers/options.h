// Values of `--storage-opt key=value`.
#pragma once

#include <cstdint>
#include <string_view>

#include "drivers/driver.h"
#include "src/base/result.h"

namespace slipway::drivers {

/// "true", "1", "false", "0", "on", "off", "yes", "no".
Result<bool> parse_switch(std::string_view text);

/// What a driver says of an option that it does not know.
Error unknown_option(const char* driver, std::string_view key);

}  // namespace slipway::drivers
