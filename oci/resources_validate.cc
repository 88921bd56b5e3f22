// What limits must be: of config.json and of `update`. Whether the host's cgroups can do them is found out
// when they are applied.
#include "oci/spec.h"
#include "oci/validate.h"

namespace slipway::oci {

namespace {

Error invalid(const char* property, const char* problem, std::string_view quoted) {
  return Error::of(ErrorKind::invalid, "%s: %s \"%.*s\"", property, problem, shown(quoted), quoted.data());
}

Status validate_device_rules(List<DeviceRule> rules) {
  for (uint32_t i = 0; i < rules.count; ++i) {
    const DeviceRule& rule = rules[i];
    const std::string_view type = rule.type;
    if (!type.empty() && type != "a" && type != "c" && type != "b")
      return Error::of(ErrorKind::invalid, "devices[%u].type: \"%.*s\" is none of a, c and b", i, shown(type),
                       type.data());
    if (rule.access.view().find_first_not_of("rwm") != std::string_view::npos)
      return Error::of(ErrorKind::invalid, "devices[%u].access: \"%.*s\" has other letters than r, w and m",
                       i, shown(rule.access), rule.access.c_str());
    const auto in_range = [](Opt<int64_t> number) {
      return number.value_or(-1) >= -1 && number.value_or(-1) <= UINT32_MAX;
    };
    if (!in_range(rule.major) || !in_range(rule.minor))
      return Error::of(ErrorKind::invalid, "devices[%u]: major and minor are numbers, or -1 for all", i);
  }
  return {};
}

Status validate_memory(const MemoryResources& memory, Warnings& warnings) {
  const auto check = [](const char* name, Opt<int64_t> value) -> Status {
    if (value && *value < -1)
      return Error::of(ErrorKind::invalid, "memory.%s: %ld is neither a size nor -1", name,
                       static_cast<long>(*value));
    return {};
  };
  TRY(check("limit", memory.limit));
  TRY(check("reservation", memory.reservation));
  TRY(check("swap", memory.swap));
  TRY(check("kernel", memory.kernel));
  TRY(check("kernelTCP", memory.kernel_tcp));
  if (memory.swappiness && *memory.swappiness > 100)
    return Error::of(ErrorKind::invalid, "memory.swappiness: %lu is not in 0..100",
                     static_cast<unsigned long>(*memory.swappiness));
  if (memory.limit.value_or(0) > 0 && memory.swap.value_or(0) > 0 && *memory.swap < *memory.limit)
    return Error::of(ErrorKind::invalid, "memory.swap: memory+swap limit should be >= memory limit");
  // The kernel knows nothing else since 5.11.
  if (!memory.use_hierarchy.value_or(true))
    warn(warnings, "linux.resources.memory.useHierarchy: limits hold for cgroups below in any case, ignored");
  return {};
}

Status validate_cpu(const CpuResources& cpu) {
  if (!cpu.cpus.empty() && !is_number_list(cpu.cpus))
    return invalid("cpu.cpus", "not a list of CPUs:", cpu.cpus);
  if (!cpu.mems.empty() && !is_number_list(cpu.mems))
    return invalid("cpu.mems", "not a list of memory nodes:", cpu.mems);
  if (cpu.idle && *cpu.idle != 0 && *cpu.idle != 1)
    return Error::of(ErrorKind::invalid, "cpu.idle: %ld is neither 0 nor 1", static_cast<long>(*cpu.idle));
  return {};
}

Status validate_block_io(const BlockIoResources& io) {
  const auto check = [](const char* name, Opt<uint16_t> weight) -> Status {
    if (weight.value_or(0) != 0 && (*weight < 10 || *weight > 1000))
      return Error::of(ErrorKind::invalid, "blockIO.%s: %u is not in 10..1000", name, unsigned{*weight});
    return {};
  };
  TRY(check("weight", io.weight));
  TRY(check("leafWeight", io.leaf_weight));
  for (const WeightDevice& device : io.weight_device) {
    if (!device.weight && !device.leaf_weight)
      return Error::of(ErrorKind::invalid, "blockIO.weightDevice: weight or leafWeight is required");
    TRY(check("weightDevice.weight", device.weight));
    TRY(check("weightDevice.leafWeight", device.leaf_weight));
  }
  return {};
}

/// "2MB": a number without a leading zero, and a unit of 1024.
bool is_page_size(std::string_view size) {
  const size_t digits = size.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || size[0] == '0') return false;
  const std::string_view unit = size.substr(digits);
  return unit == "KB" || unit == "MB" || unit == "GB";
}

Status validate_hugepages(List<HugepageLimit> limits) {
  if (limits.count > 64) return Error::of(ErrorKind::invalid, "hugepageLimits: no kernel has so many sizes");
  for (uint32_t i = 0; i < limits.count; ++i) {
    if (!is_page_size(limits[i].page_size))
      return Error::of(ErrorKind::invalid, "hugepageLimits[%u].pageSize: \"%.*s\" is not a size like 2MB", i,
                       shown(limits[i].page_size), limits[i].page_size.c_str());
    for (uint32_t k = 0; k < i; ++k)
      if (limits[k].page_size == limits[i].page_size.view())
        return invalid("hugepageLimits", "duplicated page size", limits[i].page_size);
  }
  return {};
}

bool is_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find_first_of("/\n") == std::string_view::npos;
}

Status validate_unified(const Map<Str>& unified) {
  for (const Entry<Str>& entry : unified) {
    if (!is_file_name(entry.key))
      return Error::of(ErrorKind::invalid, "unified resource \"%.*s\" must be a file name (no slashes)",
                       shown(entry.key), entry.key.c_str());
    if (entry.key.view().find('.') == std::string_view::npos)
      return Error::of(ErrorKind::invalid,
                       "unified resource \"%.*s\" must be in the form CONTROLLER.PARAMETER", shown(entry.key),
                       entry.key.c_str());
  }
  return {};
}

}  // namespace

Status validate_resources(const Resources& resources, Warnings& warnings) {
  TRY(validate_device_rules(resources.devices));
  if (resources.memory) TRY(validate_memory(*resources.memory, warnings));
  if (resources.cpu) TRY(validate_cpu(*resources.cpu));
  if (resources.block_io) TRY(validate_block_io(*resources.block_io));
  TRY(validate_hugepages(resources.hugepage_limits));
  if (resources.network)
    for (const InterfacePriority& priority : resources.network->priorities)
      if (priority.name.empty()) return Error::of(ErrorKind::invalid, "network.priorities: name is required");
  for (const Entry<RdmaLimit>& device : resources.rdma) {
    if (!is_file_name(device.key)) return invalid("rdma", "not the name of a device:", device.key);
    if (!device.value.hca_handles && !device.value.hca_objects)
      return invalid("rdma", "neither hcaHandles nor hcaObjects of", device.key);
  }
  return validate_unified(resources.unified);
}

}  // namespace slipway::oci
