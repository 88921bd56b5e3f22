#include "src/base/quantity.h"

#include <charconv>
#include <cstdlib>

namespace slipway {

namespace {

constexpr double kMax = 9.2e18;  // of an int64_t

/// Takes a decimal number ("12", "1.5", ".5") off the front.
bool take_number(std::string_view& text, double& number) {
  const std::string digits(text.substr(0, text.find_first_not_of("0123456789.")));
  char* end = nullptr;
  number = strtod(digits.c_str(), &end);  // from_chars() would load libm at each start of slipway
  text.remove_prefix(digits.size());
  return !digits.empty() && *end == '\0';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// "", "b", "k", "kb", "kib" and so on as a factor; 0 for what is no unit.
double size_factor(std::string_view unit) {
  if (unit.empty()) return 1;
  const size_t power = std::string_view("bkmgtp").find(lower(unit[0]));
  if (power == std::string_view::npos) return 0;
  unit.remove_prefix(1);
  if (power == 0) return unit.empty() ? 1 : 0;
  const bool binary = unit.size() == 2 && lower(unit[0]) == 'i';
  if (binary) unit.remove_prefix(1);
  if (!unit.empty() && (unit.size() > 1 || lower(unit[0]) != 'b')) return 0;
  return static_cast<double>(uint64_t{1} << (10 * power));
}

struct DurationUnit {
  std::string_view name;
  double nanoseconds;
};
// Longer names first: "ms" is not "m" and "s".
constexpr DurationUnit kDurationUnits[] = {{"ns", 1},   {"us", 1e3}, {"\u00b5s", 1e3}, {"\u03bcs", 1e3},
                                           {"ms", 1e6}, {"s", 1e9},  {"m", 60e9},      {"h", 3600e9}};

/// Takes a unit off the front; 0 when there is none.
double take_duration_unit(std::string_view& text) {
  for (const DurationUnit& unit : kDurationUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return unit.nanoseconds;
  }
  return 0;
}

/// `count` of 1/`unit` (a power of ten) as a decimal number without zeros at its end.
std::string decimal(uint64_t count, uint64_t unit) {
  std::string text = std::to_string(count / unit);
  if (const uint64_t fraction = count % unit) {
    std::string digits = std::to_string(unit + fraction).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text;
}

}  // namespace

Result<int64_t> parse_size(std::string_view text) {
  int64_t whole = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && whole >= 0) return whole;
  std::string_view unit = text;
  double number = 0;
  const bool valid = take_number(unit, number);
  if (unit.size() > 1 && unit[0] == ' ') unit.remove_prefix(1);
  const double factor = valid ? size_factor(unit) : 0;
  if (factor == 0 || number * factor >= kMax)
    return Error::of(ErrorKind::usage, "invalid size: '%.*s'", static_cast<int>(text.size()), text.data());
  return static_cast<int64_t>(number * factor);
}

Result<int64_t> parse_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return 0;
  bool valid = !rest.empty();
  double total = 0;
  while (valid && !rest.empty()) {
    double number = 0;
    valid = take_number(rest, number);
    const double unit = valid ? take_duration_unit(rest) : 0;
    valid = unit != 0;
    total += number * unit;
  }
  if (!valid || total >= kMax)
    return Error::of(ErrorKind::usage, "invalid duration \"%.*s\"", static_cast<int>(text.size()),
                     text.data());
  return static_cast<int64_t>(negative ? -total : total);
}

std::string duration_text(int64_t nanoseconds) {
  constexpr uint64_t kSecond = 1'000'000'000, kMinute = 60 * kSecond;
  if (nanoseconds == 0) return "0s";
  const bool negative = nanoseconds < 0;
  const uint64_t size = negative ? -static_cast<uint64_t>(nanoseconds) : static_cast<uint64_t>(nanoseconds);
  const std::string sign = negative ? "-" : "";
  if (size < 1000) return sign + std::to_string(size) + "ns";
  if (size < 1'000'000) return sign + decimal(size, 1000) + "µs";
  if (size < kSecond) return sign + decimal(size, 1'000'000) + "ms";
  const uint64_t minutes = size / kMinute;
  std::string text = sign;
  if (minutes >= 60) text += std::to_string(minutes / 60) + "h";
  if (minutes > 0) text += std::to_string(minutes % 60) + "m";
  return text + decimal(size % kMinute, kSecond) + "s";
}

}  // namespace slipway
