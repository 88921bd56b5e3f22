// Times of images as docker prints them.
#pragma once

#include <cstdint>
#include <string>

namespace slipway::cli {

/// "3 weeks ago"; "N/A" for an image that does not say.
std::string since(int64_t seconds);
/// "2024-01-31 10:00:00 +0000 UTC".
std::string go_time(int64_t seconds);

}  // namespace slipway::cli
