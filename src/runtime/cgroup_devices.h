// linux.resources.devices: which devices a container may make nodes of, read and write (config-linux.md,
// "Allowed Device list").
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "oci/spec.h"
#include "src/base/result.h"
#include "src/runtime/cgroup_control.h"
#include "src/sys/bpf_device.h"

namespace slipway::runtime {

/// The rules of config.json, checked, and behind them those that every container gets (the devices that the
/// specification makes it supply, and mknod of everything: a node alone opens nothing). They stand last and
/// so win: engines begin with "deny all", and a container without /dev/null is none.
Result<std::vector<sys::DeviceMatch>> device_rules(const List<oci::DeviceRule>& rules);

/// What a v1 device cgroup can express: one answer for all, and exceptions from it.
class DeviceTable {
 public:
  using Key = std::tuple<char, int64_t, int64_t>;  // c or b, major, minor
  using Exceptions = std::map<Key, uint32_t>;

  /// Parses devices.list.
  static Result<DeviceTable> parse(std::string_view list);

  /// ErrorKind::unsupported: a hole in a wildcard, which the kernel would take and ignore.
  Status apply(const sys::DeviceMatch& rule);

  bool allow_all() const { return allow_all_; }
  const Exceptions& exceptions() const { return exceptions_; }

  /// The shortest way from here to `target`: file ("devices.allow" or "devices.deny") and line. A container
  /// that runs keeps what it has in both, without a moment in which it is denied.
  std::vector<std::pair<const char*, std::string>> way_to(const DeviceTable& target) const;

 private:
  Status except(char type, const sys::DeviceMatch& rule);
  bool allow_all_ = false;
  Exceptions exceptions_;
};

Status apply_devices_v1(const ControlDirectory& directory, const List<oci::DeviceRule>& rules);
Status apply_devices_v2(const ControlDirectory& directory, const List<oci::DeviceRule>& rules);

}  // namespace slipway::runtime
