// Limits of a container.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "src/manager/spec.h"

namespace slipway::manager {

namespace {

constexpr uint64_t kPeriod = 100'000;  // microseconds

oci::MemoryResources* memory(const store::HostConfig& host, Arena& arena) {
  if (!host.memory && !host.memory_swap && !host.memory_reservation && !host.memory_swappiness &&
      !host.oom_kill_disable)
    return nullptr;
  auto* out = arena.make<oci::MemoryResources>();
  if (host.memory) out->limit = host.memory;
  if (host.memory_reservation) out->reservation = host.memory_reservation;
  // Without a word from the user, as much swap as memory; where the kernel counts swap.
  const bool counts_swap = access("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", F_OK) == 0 ||
                           access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
  if (host.memory_swap)
    out->swap = host.memory_swap;
  else if (host.memory && counts_swap)
    out->swap = host.memory * 2;
  if (host.memory_swappiness) out->swappiness = static_cast<uint64_t>(*host.memory_swappiness);
  if (host.oom_kill_disable) out->disable_oom_killer = true;
  return out;
}

oci::CpuResources* cpu(const store::HostConfig& host, Arena& arena) {
  if (!host.cpu_shares && !host.nano_cpus && !host.cpu_period && !host.cpu_quota &&
      !host.cpu_realtime_period && !host.cpu_realtime_runtime && host.cpuset_cpus.empty() &&
      host.cpuset_mems.empty())
    return nullptr;
  auto* out = arena.make<oci::CpuResources>();
  if (host.cpu_shares) out->shares = static_cast<uint64_t>(host.cpu_shares);
  if (host.nano_cpus) {
    out->period = kPeriod;
    out->quota = host.nano_cpus / (1'000'000'000 / static_cast<int64_t>(kPeriod));
  }
  if (host.cpu_period) out->period = static_cast<uint64_t>(host.cpu_period);
  if (host.cpu_quota) out->quota = host.cpu_quota;
  if (host.cpu_realtime_period) out->realtime_period = static_cast<uint64_t>(host.cpu_realtime_period);
  if (host.cpu_realtime_runtime) out->realtime_runtime = host.cpu_realtime_runtime;
  out->cpus = host.cpuset_cpus;
  out->mems = host.cpuset_mems;
  return out;
}

Result<dev_t> block_device(Str path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) < 0) return Error::sys(errno, "device `%s`", path.c_str());
  if (!S_ISBLK(info.st_mode))
    return Error::of(ErrorKind::invalid, "`%s` is not a block device", path.c_str());
  return info.st_rdev;
}

/// The rules' devices, without their numbers.
template <class Device>
Result<List<Device>> devices_of(const List<store::ThrottleRule>& rules, Arena& arena) {
  List<Device> out = arena.list<Device>(rules.count);
  for (size_t i = 0; i < rules.count; ++i) {
    const dev_t device = TRY(block_device(rules[i].path));
    out[i].major = major(device);
    out[i].minor = minor(device);
  }
  return out;
}

Result<List<oci::ThrottleDevice>> throttles(const List<store::ThrottleRule>& rules, Arena& arena) {
  const List<oci::ThrottleDevice> out = TRY(devices_of<oci::ThrottleDevice>(rules, arena));
  for (size_t i = 0; i < rules.count; ++i) out[i].rate = rules[i].rate;
  return out;
}

Result<List<oci::WeightDevice>> weights(const List<store::ThrottleRule>& rules, Arena& arena) {
  const List<oci::WeightDevice> out = TRY(devices_of<oci::WeightDevice>(rules, arena));
  for (size_t i = 0; i < rules.count; ++i) out[i].weight = static_cast<uint16_t>(rules[i].rate);
  return out;
}

Result<oci::BlockIoResources*> block_io(const store::HostConfig& host, Arena& arena) {
  if (!host.blkio_weight && host.blkio_device_read_bps.empty() && host.blkio_device_write_bps.empty() &&
      host.blkio_device_read_iops.empty() && host.blkio_device_write_iops.empty() &&
      host.blkio_weight_device.empty())
    return nullptr;
  auto* out = arena.make<oci::BlockIoResources>();
  if (host.blkio_weight) out->weight = host.blkio_weight;
  out->weight_device = TRY(weights(host.blkio_weight_device, arena));
  out->throttle_read_bps_device = TRY(throttles(host.blkio_device_read_bps, arena));
  out->throttle_write_bps_device = TRY(throttles(host.blkio_device_write_bps, arena));
  out->throttle_read_iops_device = TRY(throttles(host.blkio_device_read_iops, arena));
  out->throttle_write_iops_device = TRY(throttles(host.blkio_device_write_iops, arena));
  return out;
}

oci::DeviceRule rule(bool allow, Str type, int64_t major, int64_t minor, Str access) {
  oci::DeviceRule out;
  out.allow = allow;
  out.type = type;
  if (major >= 0) out.major = major;
  if (minor >= 0) out.minor = minor;
  out.access = access;
  return out;
}

Result<List<oci::DeviceRule>> device_rules(const store::HostConfig& host, Arena& arena) {
  ListBuilder<oci::DeviceRule> rules(arena);
  if (host.privileged) {
    rules.add(rule(true, "a", -1, -1, "rwm"));
    return rules.list();
  }
  rules.add(rule(false, "a", -1, -1, "rwm"));
  // Nodes may be made of every device, and the harmless ones used.
  rules.add(rule(true, "c", -1, -1, "m"));
  rules.add(rule(true, "b", -1, -1, "m"));
  static constexpr int kDevices[][2] = {{1, 3}, {1, 5}, {1, 7}, {1, 8},   {1, 9},
                                        {5, 0}, {5, 1}, {5, 2}, {136, -1}};
  for (const auto& [major, minor] : kDevices) rules.add(rule(true, "c", major, minor, "rwm"));
  for (const Str text : host.device_cgroup_rules) rules.add(TRY(parse_device_rule(text, arena)));
  return rules.list();
}

}  // namespace

Result<oci::DeviceRule> parse_device_rule(Str text, Arena& arena) {
  char type[2];
  char major[12];
  char minor[12];
  char access[4];
  char rest[2];
  const auto number = [](const char* digits) {
    return digits[0] == '*' ? -1 : static_cast<int64_t>(atol(digits));
  };
  if (sscanf(text.c_str(), "%1[abc] %11[0-9*]:%11[0-9*] %3[rwm]%1s", type, major, minor, access, rest) != 4)
    return Error::of(ErrorKind::usage, "invalid device cgroup rule format: '%s'", text.c_str());
  return rule(true, arena.copy(type), number(major), number(minor), arena.copy(access));
}

Result<oci::Resources*> spec_resources(const store::HostConfig& host, Arena& arena) {
  auto* out = arena.make<oci::Resources>();
  out->devices = TRY(device_rules(host, arena));
  out->memory = memory(host, arena);
  out->cpu = cpu(host, arena);
  out->block_io = TRY(block_io(host, arena));
  if (host.pids_limit && *host.pids_limit != 0) {
    out->pids = arena.make<oci::PidsResources>();
    out->pids->limit = *host.pids_limit;
  }
  return out;
}

}  // namespace slipway::manager
