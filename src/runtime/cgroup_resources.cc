#include "src/runtime/cgroup_resources.h"

#include <cerrno>

#include "src/runtime/cgroup_values.h"

namespace slipway::runtime {
namespace {

bool is_v1(const ControlDirectory* directory) {
  return directory->version() == sys::CgroupVersion::v1;
}

bool wants_cpu(const oci::CpuResources& cpu) {
  return cpu.shares.value_or(0) || cpu.quota.value_or(0) || cpu.period.value_or(0) || cpu.burst || cpu.idle ||
         cpu.realtime_runtime.value_or(0) || cpu.realtime_period.value_or(0);
}

bool wants_memory(const oci::MemoryResources& memory) {
  return memory.limit.value_or(0) || memory.swap.value_or(0) || memory.reservation.value_or(0) ||
         memory.kernel.value_or(0) || memory.kernel_tcp.value_or(0) || memory.swappiness ||
         memory.disable_oom_killer.value_or(false);
}

bool wants_block_io(const oci::BlockIoResources& io) {
  return io.weight.value_or(0) || io.leaf_weight.value_or(0) || !io.weight_device.empty() ||
         !io.throttle_read_bps_device.empty() || !io.throttle_write_bps_device.empty() ||
         !io.throttle_read_iops_device.empty() || !io.throttle_write_iops_device.empty();
}

Status apply_memory(ControllerDirectories& where, const oci::MemoryResources& memory) {
  const ControlDirectory* directory = TRY(where.find("memory", "linux.resources.memory"));
  return is_v1(directory) ? apply_memory_v1(*directory, memory) : apply_memory_v2(*directory, memory);
}

Status apply_cpu(ControllerDirectories& where, const oci::CpuResources& cpu) {
  if (wants_cpu(cpu)) {
    const ControlDirectory* directory = TRY(where.find("cpu", "linux.resources.cpu"));
    TRY(is_v1(directory) ? apply_cpu_v1(*directory, cpu) : apply_cpu_v2(*directory, cpu));
  }
  if (cpu.cpus.empty() && cpu.mems.empty()) return {};
  const ControlDirectory* directory = TRY(where.find("cpuset", "linux.resources.cpu.cpus"));
  if (!cpu.cpus.empty()) TRY(directory->set("linux.resources.cpu.cpus", "cpuset.cpus", cpu.cpus.view()));
  if (!cpu.mems.empty()) TRY(directory->set("linux.resources.cpu.mems", "cpuset.mems", cpu.mems.view()));
  return {};
}

Status apply_pids(ControllerDirectories& where, int64_t limit) {
  constexpr char kProperty[] = "linux.resources.pids.limit";
  return TRY(where.find("pids", kProperty))->set(kProperty, "pids.max", limit_text(limit));
}

Status apply_block_io(ControllerDirectories& where, const oci::BlockIoResources& io) {
  const ControlDirectory* directory = TRY(where.find("blkio", "linux.resources.blockIO"));
  return is_v1(directory) ? apply_block_io_v1(*directory, io) : apply_block_io_v2(*directory, io);
}

Status apply_hugepages(ControllerDirectories& where, const List<oci::HugepageLimit>& limits) {
  const ControlDirectory* directory = TRY(where.find("hugetlb", "linux.resources.hugepageLimits"));
  for (const oci::HugepageLimit& limit : limits) {
    if (!is_page_size(limit.page_size))
      return Error::of(ErrorKind::invalid, "linux.resources.hugepageLimits: invalid page size `%s`",
                       limit.page_size.c_str());
    const std::string property = "linux.resources.hugepageLimits[" + std::string(limit.page_size) + "]";
    const std::string stem = "hugetlb." + std::string(limit.page_size);
    const char* tail = is_v1(directory) ? ".limit_in_bytes" : ".max";
    const std::string value = std::to_string(limit.limit);
    TRY(directory->set(property.c_str(), (stem + tail).c_str(), value));
    // The limit of reservations (5.7) ends a mmap with an error instead of a fault with SIGBUS.
    const std::string reserved = stem + ".rsvd" + tail;
    if (directory->has(reserved.c_str())) TRY(directory->set(property.c_str(), reserved.c_str(), value));
  }
  return {};
}

Status missing(const char* property, const char* controller) {
  return Error::of(ErrorKind::unsupported, "%s: needs the controller %s of cgroup v1, which is not here",
                   property, controller);
}

Status apply_network(ControllerDirectories& where, const oci::NetworkResources& network) {
  if (network.class_id.value_or(0)) {
    constexpr char kProperty[] = "linux.resources.network.classID";
    const ControlDirectory* directory = TRY(where.find("net_cls", kProperty));
    if (!is_v1(directory)) return missing(kProperty, "net_cls");
    TRY(directory->set(kProperty, "net_cls.classid", std::to_string(*network.class_id)));
  }
  if (network.priorities.empty()) return {};
  constexpr char kProperty[] = "linux.resources.network.priorities";
  const ControlDirectory* directory = TRY(where.find("net_prio", kProperty));
  if (!is_v1(directory)) return missing(kProperty, "net_prio");
  for (const oci::InterfacePriority& item : network.priorities)
    TRY(directory->set(kProperty, "net_prio.ifpriomap",
                       std::string(item.name) + " " + std::to_string(item.priority)));
  return {};
}

Status apply_rdma(ControllerDirectories& where, const Map<oci::RdmaLimit>& devices) {
  constexpr char kProperty[] = "linux.resources.rdma";
  const ControlDirectory* directory = TRY(where.find("rdma", kProperty));
  for (const Entry<oci::RdmaLimit>& device : devices) {
    std::string line(device.key);
    if (device.value.hca_handles) line += " hca_handle=" + std::to_string(*device.value.hca_handles);
    if (device.value.hca_objects) line += " hca_object=" + std::to_string(*device.value.hca_objects);
    if (line.size() > device.key.size) TRY(directory->set(kProperty, "rdma.max", line));
  }
  return {};
}

/// Files of the v2 tree as they are; a value of several lines is several writes, as the kernel reads one line
/// each.
Status apply_unified(ControllerDirectories& where, const Map<Str>& unified) {
  const ControlDirectory* directory = TRY(where.unified("linux.resources.unified"));
  for (const Entry<Str>& entry : unified) {
    const std::string property = "linux.resources.unified[" + std::string(entry.key) + "]";
    const std::string_view key = entry.key;
    if (key.empty() || key == "." || key == ".." || key.find('/') != std::string_view::npos)
      return Error::of(ErrorKind::invalid, "%s: must be a file name", property.c_str());
    std::string_view rest = entry.value;
    do {
      const size_t end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      if (!line.empty()) TRY(directory->set(property.c_str(), entry.key.c_str(), line));
    } while (!rest.empty());
  }
  return {};
}

}  // namespace

void ControllerDirectories::add(std::string_view controllers, std::string_view path) {
  items_.push_back({std::string(controllers), std::string(path), {}});
}

Result<const ControlDirectory*> ControllerDirectories::open(Item& item) {
  if (!item.directory) {
    item.directory = TRY(ControlDirectory::open(item.path));
    item.directory.keep_journal(journal_);
  }
  return static_cast<const ControlDirectory*>(&item.directory);
}

Result<const ControlDirectory*> ControllerDirectories::find(std::string_view controller,
                                                            const char* property) {
  Item* v2 = nullptr;
  for (Item& item : items_) {
    if (sys::list_has(item.controllers, controller)) return open(item).ctx("%s", property);
    if (item.controllers.empty()) v2 = &item;
  }
  if (v2) return open(*v2).ctx("%s", property);
  return Error::of(ErrorKind::unsupported, "%s: there is no cgroup with the controller `%.*s`", property,
                   static_cast<int>(controller.size()), controller.data());
}

Result<const ControlDirectory*> ControllerDirectories::unified(const char* property) {
  for (Item& item : items_)
    if (item.controllers.empty()) return open(item).ctx("%s", property);
  return Error::of(ErrorKind::unsupported, "%s: not supported on cgroup v1", property);
}

Status apply_resources(ControllerDirectories& where, const oci::Resources& resources) {
  if (resources.memory && wants_memory(*resources.memory)) TRY(apply_memory(where, *resources.memory));
  if (resources.cpu) TRY(apply_cpu(where, *resources.cpu));
  if (resources.pids && resources.pids->limit) TRY(apply_pids(where, *resources.pids->limit));
  if (resources.block_io && wants_block_io(*resources.block_io))
    TRY(apply_block_io(where, *resources.block_io));
  if (!resources.hugepage_limits.empty()) TRY(apply_hugepages(where, resources.hugepage_limits));
  if (resources.network) TRY(apply_network(where, *resources.network));
  if (!resources.rdma.empty()) TRY(apply_rdma(where, resources.rdma));
  if (!resources.unified.empty()) TRY(apply_unified(where, resources.unified));
  return {};
}

}  // namespace slipway::runtime
