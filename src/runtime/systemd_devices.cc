// linux.resources.devices as properties of a systemd unit.
#include <algorithm>

#include "src/runtime/cgroup_devices.h"
#include "src/runtime/systemd_properties.h"

namespace slipway::runtime {
namespace {

using sys::DeviceMatch;

struct Allowed {
  std::string path;
  uint32_t access;
};

/// systemd.resource-control(5): a node by its numbers, all of a major number, or all of a type. One minor number of
/// all majors is not to be said: all of the type, then.
std::string device_path(char type, const DeviceMatch& rule) {
  const std::string word = type == 'b' ? "block" : "char";
  if (rule.major < 0) return word + "-*";
  if (rule.minor < 0) return word + "-" + std::to_string(rule.major);
  return "/dev/" + word + "/" + std::to_string(rule.major) + ":" + std::to_string(rule.minor);
}

void merge(std::vector<Allowed>& list, char type, const DeviceMatch& rule) {
  const std::string path = device_path(type, rule);
  const auto same =
      std::find_if(list.begin(), list.end(), [&](const Allowed& one) { return one.path == path; });
  if (rule.allow) {
    if (same == list.end())
      list.push_back({path, rule.access});
    else
      same->access |= rule.access;
  } else if (same != list.end() && (rule.major >= 0 || rule.minor < 0)) {
    same->access &= ~rule.access;
    if (!same->access) list.erase(same);
  }
}

std::string access_text(uint32_t access) {
  std::string text;
  if (access & sys::kDeviceRead) text += 'r';
  if (access & sys::kDeviceWrite) text += 'w';
  if (access & sys::kDeviceMknod) text += 'm';
  return text;
}

}  // namespace

Result<std::vector<sys::DbusProperty>> device_properties(const List<oci::DeviceRule>& rules) {
  bool all = false;
  std::vector<Allowed> list;
  for (const DeviceMatch& rule : TRY(device_rules(rules))) {
    if (rule.type == 'a' && rule.major < 0 && rule.minor < 0 && rule.access == sys::kDeviceAll) {
      all = rule.allow;
      list.clear();
      continue;
    }
    if (rule.type != 'b') merge(list, 'c', rule);
    if (rule.type != 'c') merge(list, 'b', rule);
  }
  std::vector<std::pair<std::string, std::string>> allow;
  if (!all)
    for (const Allowed& one : list) allow.emplace_back(one.path, access_text(one.access));
  std::vector<sys::DbusProperty> out;
  out.emplace_back("DevicePolicy", std::string(all ? "auto" : "strict"));
  // An empty list forgets what was there before.
  out.emplace_back("DeviceAllow", std::vector<std::pair<std::string, std::string>>());
  if (!allow.empty()) out.emplace_back("DeviceAllow", std::move(allow));
  return out;
}

}  // namespace slipway::runtime
