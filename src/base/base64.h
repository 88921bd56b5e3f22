// Base64 (RFC 4648, section 4), as HTTP's Basic authentication and Docker's files of credentials have it.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace slipway {

std::string base64_encode(std::string_view bytes);
/// Padding may be missing. Errors: invalid.
Result<std::string> base64_decode(std::string_view text);

}  // namespace slipway
