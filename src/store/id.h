// Identifiers: 64 lower-case hex digits, shown as 12.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace slipway::store {

inline constexpr size_t kIdLength = 64;
inline constexpr size_t kShortIdLength = 12;

/// A new random id. Its short form never consists of decimal digits alone: a host name must not look like a
/// number.
Result<std::string> new_id();

/// Only lower-case hex digits, and at least one.
bool is_hex(std::string_view text);

/// 12 digits of an id, without "sha256:".
std::string_view short_id(std::string_view id);

/// The present time as RFC 3339 with nanoseconds, UTC.
std::string now_rfc3339();

/// Seconds and nanoseconds of an RFC 3339 time ("2024-01-02T03:04:05.678Z", any offset).
struct Time {
  int64_t seconds = 0;
  int64_t nanoseconds = 0;
  friend auto operator<=>(const Time&, const Time&) = default;
};
Result<Time> parse_rfc3339(std::string_view text);
std::string format_rfc3339(Time time);
Time now();

}  // namespace slipway::store
