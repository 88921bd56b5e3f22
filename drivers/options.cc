#include "drivers/options.h"

#include <strings.h>

#include <cmath>
#include <cstdlib>
#include <string>

namespace slipway::drivers {
namespace {

// The power of 1024 that a unit stands for; -1: not a unit.
int power_of(std::string_view unit) {
  static constexpr std::string_view kLetters = "kmgtp";
  if (unit.empty() || unit == "b" || unit == "B") return 0;
  const size_t at = kLetters.find(static_cast<char>(unit[0] | 0x20));
  if (at == std::string_view::npos) return -1;
  const std::string rest(unit.substr(1));
  if (!rest.empty() && strcasecmp(rest.c_str(), "b") != 0 && strcasecmp(rest.c_str(), "ib") != 0) return -1;
  return static_cast<int>(at) + 1;
}

}  // namespace

Result<uint64_t> parse_size(std::string_view text) {
  const size_t digits = text.find_first_not_of("0123456789.");
  const std::string number(text.substr(0, digits));
  std::string_view unit = digits == std::string_view::npos ? "" : text.substr(digits);
  if (unit.size() > 1 && unit[0] == ' ') unit.remove_prefix(1);
  const int power = power_of(unit);
  char* end = nullptr;
  const double value = strtod(number.c_str(), &end);
  const double bytes = power < 0 ? -1 : std::ldexp(value, 10 * power);
  if (number.empty() || *end || bytes < 0 || bytes >= 9.2e18)
    return Error::of(ErrorKind::invalid, "`%.*s` is not a size", static_cast<int>(text.size()), text.data());
  return static_cast<uint64_t>(bytes);
}

Result<bool> parse_switch(std::string_view text) {
  for (const std::string_view yes : {"true", "1", "on", "yes"})
    if (text == yes) return true;
  for (const std::string_view no : {"false", "0", "off", "no"})
    if (text == no) return false;
  return Error::of(ErrorKind::invalid, "`%.*s` is neither true nor false", static_cast<int>(text.size()),
                   text.data());
}

Error unknown_option(const char* driver, std::string_view key) {
  return Error::of(ErrorKind::invalid, "%s knows no option `%.*s`", driver, static_cast<int>(key.size()),
                   key.data());
}

Result<RwOptions> parse_rw_options(const Options& options) {
  RwOptions parsed;
  for (const auto& [key, value] : options) {
    if (key != "size") return Error::of(ErrorKind::invalid, "unknown storage option `%s`", key.c_str());
    parsed.size = TRY(parse_size(value).ctx("storage option `size`"));
  }
  return parsed;
}

}  // namespace slipway::drivers
