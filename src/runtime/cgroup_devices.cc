#include "src/runtime/cgroup_devices.h"

#include <cerrno>
#include <charconv>
#include <cstdint>

#include "src/runtime/cgroup_fs.h"

namespace slipway::runtime {
namespace {

constexpr char kProperty[] = "linux.resources.devices";
constexpr char kAllow[] = "devices.allow";
constexpr char kDeny[] = "devices.deny";

constexpr sys::DeviceMatch kAlwaysAllowed[] = {
    {true, 'c', -1, -1, sys::kDeviceMknod},
    {true, 'b', -1, -1, sys::kDeviceMknod},
    {true, 'c', 1, 3},     // /dev/null
    {true, 'c', 1, 5},     // /dev/zero
    {true, 'c', 1, 7},     // /dev/full
    {true, 'c', 1, 8},     // /dev/random
    {true, 'c', 1, 9},     // /dev/urandom
    {true, 'c', 5, 0},     // /dev/tty
    {true, 'c', 5, 2},     // /dev/ptmx
    {true, 'c', 136, -1},  // /dev/pts/N
    {true, 'c', 10, 200},  // /dev/net/tun
};

Result<uint32_t> parse_access(std::string_view text) {
  uint32_t access = 0;
  for (const char c : text) {
    if (c == 'r')
      access |= sys::kDeviceRead;
    else if (c == 'w')
      access |= sys::kDeviceWrite;
    else if (c == 'm')
      access |= sys::kDeviceMknod;
    else
      return Error::of(ErrorKind::invalid, "%s: unknown access `%c`", kProperty, c);
  }
  return access;
}

Result<int64_t> parse_number(Opt<int64_t> number, const char* what) {
  const int64_t value = number.value_or(-1);
  if (value < -1 || value > INT32_MAX)
    return Error::of(ErrorKind::invalid, "%s: invalid %s number %lld", kProperty, what,
                     static_cast<long long>(value));
  return value;
}

std::string number_text(int64_t number) {
  return number < 0 ? "*" : std::to_string(number);
}

std::string line_of(const DeviceTable::Key& key, uint32_t access) {
  const auto& [type, major, minor] = key;
  std::string line = std::string(1, type) + " " + number_text(major) + ":" + number_text(minor) + " ";
  if (access & sys::kDeviceRead) line += 'r';
  if (access & sys::kDeviceWrite) line += 'w';
  if (access & sys::kDeviceMknod) line += 'm';
  return line;
}

/// -1 covers everything.
bool covers(int64_t wide, int64_t narrow) {
  return wide < 0 || wide == narrow;
}

bool parse_list_number(std::string_view text, int64_t& number) {
  if (text == "*") {
    number = -1;
    return true;
  }
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  number = value;
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<std::vector<sys::DeviceMatch>> device_rules(const List<oci::DeviceRule>& rules) {
  std::vector<sys::DeviceMatch> all;
  for (const oci::DeviceRule& rule : rules) {
    sys::DeviceMatch match;
    match.allow = rule.allow;
    if (!rule.type.empty()) match.type = rule.type.view()[0];
    if (rule.type.size > 1 || std::string_view("abc").find(match.type) == std::string_view::npos)
      return Error::of(ErrorKind::invalid, "%s: unknown type `%s`", kProperty, rule.type.c_str());
    match.major = TRY(parse_number(rule.major, "major"));
    match.minor = TRY(parse_number(rule.minor, "minor"));
    if (!rule.access.empty()) match.access = TRY(parse_access(rule.access));
    all.push_back(match);
  }
  all.insert(all.end(), std::begin(kAlwaysAllowed), std::end(kAlwaysAllowed));
  return all;
}

Result<DeviceTable> DeviceTable::parse(std::string_view list) {
  // "a *:* rwm" alone is "all allowed"; else "c 1:3 rwm" a line, each an exception from "nothing". A table of
  // "all but" looks the same as "all": the kernel does not show what is denied.
  DeviceTable table;
  while (!list.empty()) {
    const size_t end = list.find('\n');
    const std::string_view line = list.substr(0, end);
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    if (line.empty()) continue;
    if (line[0] == 'a') {
      table.allow_all_ = true;
      continue;
    }
    const size_t colon = line.find(':'), space = line.find(' ', 2);
    int64_t major = 0, minor = 0;
    if ((line[0] != 'b' && line[0] != 'c') || line.size() < 7 || line[1] != ' ' ||
        colon == std::string_view::npos || space == std::string_view::npos || colon > space ||
        space + 1 == line.size() || !parse_list_number(line.substr(2, colon - 2), major) ||
        !parse_list_number(line.substr(colon + 1, space - colon - 1), minor))
      return Error::of(ErrorKind::invalid, "devices.list: unexpected line `%.*s`",
                       static_cast<int>(line.size()), line.data());
    table.exceptions_[{line[0], major, minor}] |= TRY(parse_access(line.substr(space + 1)));
  }
  return table;
}

Status DeviceTable::except(char type, const sys::DeviceMatch& rule) {
  if (rule.allow != allow_all_) {
    exceptions_[{type, rule.major, rule.minor}] |= rule.access;
    return {};
  }
  for (auto it = exceptions_.begin(); it != exceptions_.end();) {
    const auto& [its_type, major, minor] = it->first;
    if (its_type == type && covers(rule.major, major) && covers(rule.minor, minor)) {
      it->second &= ~rule.access;
    } else if (its_type == type && covers(major, rule.major) && covers(minor, rule.minor) &&
               (it->second & rule.access)) {
      return Error::of(ErrorKind::unsupported, "%s: cgroup v1 cannot except `%s` from `%s`", kProperty,
                       line_of({type, rule.major, rule.minor}, rule.access).c_str(),
                       line_of(it->first, it->second).c_str());
    }
    it = it->second ? std::next(it) : exceptions_.erase(it);
  }
  return {};
}

Status DeviceTable::apply(const sys::DeviceMatch& rule) {
  if (rule.type == 'a' && rule.major < 0 && rule.minor < 0 && rule.access == sys::kDeviceAll) {
    allow_all_ = rule.allow;
    exceptions_.clear();
    return {};
  }
  if (rule.type != 'a') return except(rule.type, rule);
  TRY(except('c', rule));
  return except('b', rule);
}

std::vector<std::pair<const char*, std::string>> DeviceTable::way_to(const DeviceTable& target) const {
  std::vector<std::pair<const char*, std::string>> way;
  const char* grant = target.allow_all_ ? kDeny : kAllow;
  const char* revoke = target.allow_all_ ? kAllow : kDeny;
  // What "all but" denies is not known: it begins anew.
  const bool anew = allow_all_ != target.allow_all_ || target.allow_all_;
  if (anew) way.emplace_back(revoke, "a");
  const Exceptions none;
  const Exceptions& have = anew ? none : exceptions_;
  const auto access_in = [](const Exceptions& table, const Key& key) {
    const auto it = table.find(key);
    return it == table.end() ? 0U : it->second;
  };
  // The new ones first: a device that is in a wildcard now and named alone next is allowed all the time.
  for (const auto& [key, access] : target.exceptions_)
    if (const uint32_t more = access & ~access_in(have, key)) way.emplace_back(grant, line_of(key, more));
  for (const auto& [key, access] : have)
    if (const uint32_t less = access & ~access_in(target.exceptions_, key))
      way.emplace_back(revoke, line_of(key, less));
  return way;
}

Status apply_devices_v1(const ControlDirectory& directory, const List<oci::DeviceRule>& rules) {
  DeviceTable target;
  for (const sys::DeviceMatch& rule : TRY(device_rules(rules))) TRY(target.apply(rule));
  const std::string list = TRY(directory.read("devices.list"));
  const DeviceTable current = TRY(DeviceTable::parse(list));
  for (const auto& [file, line] : current.way_to(target)) {
    Status done = directory.set(kProperty, file, line);
    // In a nested container: the parent's own container may not have the device, or not the right to ask.
    if (!done.ok() && !(is_denied(done.error().code()) && is_rootless())) return done;
  }
  return {};
}

Status apply_devices_v2(const ControlDirectory& directory, const List<oci::DeviceRule>& rules) {
  const std::vector<sys::DeviceMatch> all = TRY(device_rules(rules));
  Status done = sys::replace_device_program(directory.fd(), sys::device_program(all)).ctx("%s", kProperty);
  // Without rights over the host a container gets no device of the host anyway: it cannot make nodes that
  // open.
  if (!done.ok() && is_denied(done.error().code()) && is_rootless()) return {};
  return done;
}

}  // namespace slipway::runtime
