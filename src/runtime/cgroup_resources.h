// linux.resources of config.json (config-linux.md, "Control groups"), written to control files. Devices are
// apart: cgroup_devices.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oci/spec.h"
#include "src/base/result.h"
#include "src/runtime/cgroup_control.h"

namespace slipway::runtime {

/// A container's cgroup directories by controller; opened when first used.
class ControllerDirectories {
 public:
  /// `controllers` is a comma-separated list, "" for the v2 tree.
  void add(std::string_view controllers, std::string_view path);
  void keep_journal(ControlJournal* journal) { journal_ = journal; }
  /// The v1 directory that has the controller, or else the v2 tree's. ErrorKind::unsupported when there is
  /// neither: the text names the property.
  Result<const ControlDirectory*> find(std::string_view controller, const char* property);
  /// The v2 tree's.
  Result<const ControlDirectory*> unified(const char* property);

 private:
  struct Item {
    std::string controllers, path;
    ControlDirectory directory;
  };
  Result<const ControlDirectory*> open(Item& item);
  std::vector<Item> items_;
  ControlJournal* journal_ = nullptr;
};

/// Absent properties, and numbers of 0 where 0 cannot be a limit, are left as they are (engines send zeroes
/// for what they do not mean). Each error names its property.
Status apply_resources(ControllerDirectories& where, const oci::Resources& resources);

// The parts, one function per controller and version.
Status apply_memory_v1(const ControlDirectory& directory, const oci::MemoryResources& memory);
Status apply_memory_v2(const ControlDirectory& directory, const oci::MemoryResources& memory);
Status apply_cpu_v1(const ControlDirectory& directory, const oci::CpuResources& cpu);
Status apply_cpu_v2(const ControlDirectory& directory, const oci::CpuResources& cpu);
Status apply_block_io_v1(const ControlDirectory& directory, const oci::BlockIoResources& io);
Status apply_block_io_v2(const ControlDirectory& directory, const oci::BlockIoResources& io);

}  // namespace slipway::runtime
