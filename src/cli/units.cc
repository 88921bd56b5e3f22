#include "src/cli/units.h"

#include <charconv>
#include <cmath>

namespace slipway::cli {
namespace {

/// Takes a decimal number ("12", "1.5", ".5") off the front.
bool take_number(std::string_view& text, double& number) {
  size_t size = 0;
  while (size < text.size() && ((text[size] >= '0' && text[size] <= '9') || text[size] == '.')) ++size;
  const std::string_view digits = text.substr(0, size);
  if (digits.empty() || digits == ".") return false;
  const auto parsed = std::from_chars(digits.data(), digits.data() + size, number, std::chars_format::fixed);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + size) return false;
  text.remove_prefix(size);
  return true;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// "k", "kb", "kib", "" ... as a factor; 0 for what is none.
double factor_of(std::string_view unit) {
  if (unit.empty()) return 1;
  const size_t power = std::string_view("bkmgtp").find(lower(unit[0]));
  if (power == std::string_view::npos) return 0;
  if (power == 0) return unit.size() == 1 ? 1 : 0;
  unit.remove_prefix(1);
  if (!unit.empty() && lower(unit[0]) == 'i') {
    unit.remove_prefix(1);
    if (unit.empty()) return 0;
  }
  if (!unit.empty() && (unit.size() > 1 || lower(unit[0]) != 'b')) return 0;
  return std::exp2(10.0 * static_cast<double>(power));
}

}  // namespace

Result<int64_t> parse_byte_count(std::string_view text) {
  std::string_view rest = text;
  int64_t whole = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && whole >= 0) return whole;
  double number = 0;
  const bool valid = take_number(rest, number);
  while (valid && !rest.empty() && rest[0] == ' ') rest.remove_prefix(1);
  const double bytes = valid ? number * factor_of(rest) : 0;
  if (!valid || factor_of(rest) == 0 || bytes >= 9.2e18)
    return Error::of(ErrorKind::usage, "invalid size: \"%.*s\"", static_cast<int>(text.size()), text.data());
  return static_cast<int64_t>(bytes);
}

Result<int64_t> parse_go_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double milliseconds;
  };
  // Longer names first: "ms" is not "m" and "s".
  constexpr Unit kUnits[] = {{"ns", 1e-6}, {"us", 1e-3}, {"\u00b5s", 1e-3}, {"\u03bcs", 1e-3},
                             {"ms", 1},    {"s", 1000},  {"m", 60'000},     {"h", 3'600'000}};
  std::string_view rest = text;
  double total = 0;
  bool valid = !rest.empty();
  if (rest == "0") return 0;
  while (valid && !rest.empty()) {
    double number = 0;
    valid = take_number(rest, number);
    if (!valid) break;
    valid = false;
    for (const Unit& unit : kUnits) {
      if (!rest.starts_with(unit.name)) continue;
      rest.remove_prefix(unit.name.size());
      total += number * unit.milliseconds;
      valid = true;
      break;
    }
  }
  if (!valid || total >= 9.2e18)
    return Error::of(ErrorKind::usage, "invalid duration: \"%.*s\"", static_cast<int>(text.size()),
                     text.data());
  return static_cast<int64_t>(total);
}

}  // namespace slipway::cli
