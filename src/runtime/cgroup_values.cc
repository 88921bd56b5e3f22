#include "src/runtime/cgroup_values.h"

#include <bit>

namespace slipway::runtime {
namespace {

constexpr uint64_t kMinShares = 2, kMaxShares = 262'144;
constexpr uint64_t kMaxWeight = 10'000;

// By hand, because they alone would load libm at each start of slipway (a tenth of the pages it touches by then).
// Good to 12 digits in the ranges of this file.

double log2_of(uint64_t number) {
  const int whole = std::bit_width(number) - 1;
  double rest = static_cast<double>(number) / static_cast<double>(uint64_t{1} << whole), sum = whole;
  for (double bit = 0.5; bit > 1e-13; bit /= 2) {
    rest *= rest;
    if (rest < 2) continue;
    rest /= 2;
    sum += bit;
  }
  return sum;
}

/// 10 to a power that is not negative.
double power_of_ten(double exponent) {
  constexpr double kLn10 = 2.302585092994046;
  double result = 1, term = 1;
  for (int n = 1; n < 60; ++n) {
    term *= exponent * kLn10 / n;
    result += term;
  }
  return result;
}

}  // namespace

uint64_t cpu_weight_of_shares(uint64_t shares) {
  if (shares == 0) return 0;
  if (shares <= kMinShares) return 1;
  if (shares >= kMaxShares) return kMaxWeight;
  const double l = log2_of(shares);
  const double weight = power_of_ten((l * l + 125 * l) / 612.0 - 7.0 / 34.0);
  return static_cast<uint64_t>(weight + (1 - 1e-9));  // rounded up, but for what the arithmetic has added
}

uint64_t io_weight_of_blkio(uint64_t weight) {
  if (weight == 0) return 0;
  if (weight <= 10) return 1;
  return 1 + (weight - 10) * 9999 / 990;
}

uint64_t io_weight_of_bfq(uint64_t weight) {
  return weight <= 100 ? weight : 100 + (weight - 100) * 11;
}

std::string limit_text(int64_t value) {
  return value < 0 ? "max" : std::to_string(value);
}

Result<std::string> swap_max_text(Opt<int64_t> limit, Opt<int64_t> swap) {
  const int64_t memory = limit.value_or(0), total = swap.value_or(0);
  if (total == 0) return memory < 0 ? "max" : std::string();
  if (total < 0) return std::string("max");
  if (memory <= 0)
    return Error::of(ErrorKind::invalid, "linux.resources.memory.swap: needs a memory limit too");
  if (total < memory)
    return Error::of(ErrorKind::invalid,
                     "linux.resources.memory.swap: memory and swap together, it must not be below the limit");
  return std::to_string(total - memory);
}

std::string io_max_line(const oci::ThrottleDevice& device, std::string_view key) {
  std::string line = std::to_string(device.major) + ":" + std::to_string(device.minor) + " ";
  line += key;
  return line + "=" + (device.rate ? std::to_string(device.rate) : "max");
}

uint64_t cpu_quota_per_second(int64_t quota, uint64_t period) {
  if (quota <= 0) return UINT64_MAX;
  if (period == 0) period = 100'000;
  // 128 bits: a quota of years does not overflow.
  const unsigned __int128 per_second = static_cast<unsigned __int128>(quota) * 1'000'000 / period;
  if (per_second > UINT64_MAX - 10'000) return UINT64_MAX;
  return (static_cast<uint64_t>(per_second) + 9'999) / 10'000 * 10'000;
}

bool is_page_size(std::string_view text) {
  if (text.size() < 3 || text.back() != 'B') return false;
  const char unit = text[text.size() - 2];
  if (unit != 'K' && unit != 'M' && unit != 'G') return false;
  if (text[0] < '1' || text[0] > '9') return false;
  for (const char c : text.substr(0, text.size() - 2))
    if (c < '0' || c > '9') return false;
  return true;
}

}  // namespace slipway::runtime
