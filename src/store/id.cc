#include "src/store/id.h"

#include <sys/random.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace slipway::store {

namespace {

bool decimal(char c) {
  return c >= '0' && c <= '9';
}

/// `count` decimal digits at *at, moving past them; -1 when there are fewer.
int digits(std::string_view text, size_t& at, size_t count) {
  if (text.size() < at + count) return -1;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    const char c = text[at + i];
    if (!decimal(c)) return -1;
    value = value * 10 + (c - '0');
  }
  at += count;
  return value;
}

bool take(std::string_view text, size_t& at, char c) {
  if (at >= text.size() || text[at] != c) return false;
  ++at;
  return true;
}

}  // namespace

Result<std::string> new_id() {
  for (;;) {
    unsigned char bytes[kIdLength / 2];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return Error::sys(errno, "getrandom");
    std::string id;
    id.reserve(kIdLength);
    for (const unsigned char byte : bytes) {
      id += "0123456789abcdef"[byte >> 4];
      id += "0123456789abcdef"[byte & 15];
    }
    if (!std::all_of(id.begin(), id.begin() + kShortIdLength, decimal)) return id;
  }
}

bool is_hex(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return decimal(c) || (c >= 'a' && c <= 'f'); });
}

std::string_view short_id(std::string_view id) {
  if (id.starts_with("sha256:")) id.remove_prefix(7);
  return id.substr(0, kShortIdLength);
}

Time now() {
  timespec ts = {};
  clock_gettime(CLOCK_REALTIME, &ts);
  return {ts.tv_sec, ts.tv_nsec};
}

std::string format_rfc3339(Time time) {
  const time_t seconds = time.seconds;
  tm parts = {};
  gmtime_r(&seconds, &parts);
  char text[48];
  const size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(text + length, sizeof text - length, ".%09dZ", static_cast<int>(time.nanoseconds));
  return text;
}

std::string now_rfc3339() {
  return format_rfc3339(now());
}

Result<Time> parse_rfc3339(std::string_view text) {
  const auto refuse = [&] {
    return Error::of(ErrorKind::invalid, "`%.*s` is not a time as RFC 3339 has it",
                     static_cast<int>(text.size()), text.data());
  };
  size_t at = 0;
  tm parts = {};
  const int year = digits(text, at, 4);
  bool good = year >= 0 && take(text, at, '-');
  const int month = digits(text, at, 2);
  good = good && month >= 1 && month <= 12 && take(text, at, '-');
  const int day = digits(text, at, 2);
  if (!good || day < 1 || day > 31 || !(take(text, at, 'T') || take(text, at, ' '))) return refuse();
  const int hour = digits(text, at, 2);
  good = hour >= 0 && take(text, at, ':');
  const int minute = digits(text, at, 2);
  good = good && minute >= 0 && take(text, at, ':');
  const int second = digits(text, at, 2);
  if (!good || second < 0) return refuse();
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_sec = second;

  Time time;
  if (take(text, at, '.')) {
    int64_t unit = 100'000'000;
    if (at >= text.size() || !decimal(text[at])) return refuse();
    for (; at < text.size() && decimal(text[at]); ++at, unit /= 10)
      time.nanoseconds += (text[at] - '0') * unit;
  }
  int64_t offset = 0;
  if (!take(text, at, 'Z') && !take(text, at, 'z')) {
    if (at >= text.size() || (text[at] != '+' && text[at] != '-')) return refuse();
    const int sign = text[at++] == '+' ? 1 : -1;
    const int hours = digits(text, at, 2);
    good = hours >= 0 && take(text, at, ':');
    const int minutes = digits(text, at, 2);
    if (!good || minutes < 0) return refuse();
    offset = sign * (hours * 3600 + minutes * 60);
  }
  if (at != text.size()) return refuse();
  time.seconds = timegm(&parts) - offset;
  return time;
}

}  // namespace slipway::store
