#include "src/base/duration.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

namespace slipway {

Result<int64_t> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return Error::of(ErrorKind::usage, "invalid duration \"%.*s\"", static_cast<int>(text.size()),
                     text.data());
  };
  const std::string copy(text);
  const char* at = copy.c_str();
  const bool negative = *at == '-';
  if (*at == '-' || *at == '+') ++at;
  if (copy == "0") return 0;
  if (!*at) return bad();
  double total = 0;
  while (*at) {
    if ((*at < '0' || *at > '9') && *at != '.') return bad();
    char* end = nullptr;
    const double number = strtod(at, &end);
    std::string_view unit(end);
    const size_t length = std::min(unit.find_first_of("0123456789."), unit.size());
    unit = unit.substr(0, length);
    double factor = 0;
    for (const auto& [name, nanoseconds] : {std::pair<std::string_view, double>("ns", 1),
                                            {"us", 1e3},
                                            {"µs", 1e3},
                                            {"ms", 1e6},
                                            {"s", 1e9},
                                            {"m", 60e9},
                                            {"h", 3600e9}})
      if (unit == name) factor = nanoseconds;
    if (factor == 0) return bad();
    total += number * factor;
    at = end + length;
  }
  if (total > 9.2e18) return bad();
  return static_cast<int64_t>(negative ? -total : total);
}

}  // namespace slipway
