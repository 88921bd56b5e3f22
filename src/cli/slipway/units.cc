// Sizes, durations and moments as people and docker write them.
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "src/cli/slipway/format.h"
#include "src/store/id.h"

namespace slipway::cli {

namespace {

constexpr const char* kDecimalUnits[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

std::string with_unit(double size, double base, int digits, std::span<const char* const> units) {
  size_t unit = 0;
  while (size >= base && unit + 1 < units.size()) {
    size /= base;
    ++unit;
  }
  char text[32];
  snprintf(text, sizeof text, "%.*g%s", digits, size, units[unit]);
  return text;
}

std::string count_of(int64_t count, const char* unit) {
  return std::to_string(count) + " " + unit;
}

}  // namespace

std::string human_size(double bytes) {
  return with_unit(bytes, 1000, 3, kDecimalUnits);
}

std::string exact_size(double bytes) {
  return with_unit(bytes, 1000, 4, kDecimalUnits);
}

std::string binary_size(double bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  return with_unit(bytes, 1024, 4, kUnits);
}

std::string human_duration(int64_t seconds) {
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return count_of(seconds, "seconds");
  const int64_t minutes = seconds / 60;
  if (minutes == 1) return "About a minute";
  if (minutes < 60) return count_of(minutes, "minutes");
  const int64_t hours = (seconds + 1800) / 3600;
  if (hours == 1) return "About an hour";
  if (hours < 48) return count_of(hours, "hours");
  if (hours < 24 * 7 * 2) return count_of(hours / 24, "days");
  if (hours < 24 * 30 * 2) return count_of(hours / 24 / 7, "weeks");
  if (hours < 24 * 365 * 2) return count_of(hours / 24 / 30, "months");
  return count_of(hours / 24 / 365, "years");
}

Result<int64_t> parse_moment(std::string_view text) {
  constexpr int64_t kSecond = 1'000'000'000;
  const store::Time now = store::now();
  auto duration = parse_duration(text);
  if (duration.ok() && text != "0") return now.seconds * kSecond + now.nanoseconds - *duration;
  const std::string copy(text);
  char* end = nullptr;
  const long long seconds = strtoll(copy.c_str(), &end, 10);
  if (end != copy.c_str() && (*end == 0 || *end == '.')) {
    const double fraction = *end == '.' ? strtod(end, nullptr) : 0;
    return static_cast<int64_t>(seconds) * kSecond + static_cast<int64_t>(fraction * 1e9);
  }
  // Parts that are left out: seconds, minutes, hours; a missing zone is this machine's.
  static constexpr const char* kRest[] = {"", "Z", ":00Z", ":00:00Z", "T00:00:00Z"};
  for (const char* rest : kRest) {
    auto time = store::parse_rfc3339(copy + rest);
    if (!time.ok()) continue;
    int64_t local = time->seconds;
    if (*rest) {
      time_t at = time->seconds;
      tm parts = {};
      gmtime_r(&at, &parts);
      parts.tm_isdst = -1;
      local = mktime(&parts);
    }
    return local * kSecond + time->nanoseconds;
  }
  return Error::of(ErrorKind::invalid, "failed to parse value as time or duration: \"%s\"", copy.c_str());
}

}  // namespace slipway::cli
