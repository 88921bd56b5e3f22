// linux.resources.memory.
#include <cerrno>
#include <charconv>
#include <cstring>

#include "src/runtime/cgroup_resources.h"
#include "src/runtime/cgroup_values.h"

namespace slipway::runtime {
namespace {

constexpr char kLimit[] = "linux.resources.memory.limit";
constexpr char kSwap[] = "linux.resources.memory.swap";

uint64_t number_in(const ControlDirectory& directory, const char* file) {
  Result<std::string> text = directory.read(file);
  if (!text.ok()) return 0;
  uint64_t value = 0;
  const auto end = std::from_chars(text->data(), text->data() + text->size(), value);
  return end.ec == std::errc() ? value : UINT64_MAX;  // "max"
}

Status refuse(const char* property) {
  return Error::of(ErrorKind::unsupported, "%s: not supported on cgroup v2", property);
}

/// EBUSY, or EINVAL on old kernels: there is more in use than the new limit allows. The bare errno helps
/// nobody.
Status set_limit(const ControlDirectory& directory, const char* file, int64_t limit, const char* usage,
                 const char* peak) {
  Status done = directory.set(
      kLimit, file,
      directory.version() == sys::CgroupVersion::v2 ? limit_text(limit) : std::to_string(limit));
  if (done.ok() || done.error().code() != EBUSY) return done;
  return Error::of(
      ErrorKind::failed, "%s: unable to set memory limit to %lld (current usage: %llu, peak usage: %llu)",
      kLimit, static_cast<long long>(limit), static_cast<unsigned long long>(number_in(directory, usage)),
      static_cast<unsigned long long>(number_in(directory, peak)));
}

/// memory.checkBeforeUpdate: rather no new limit than one that kills.
Status check_usage(const oci::MemoryResources& memory, uint64_t usage, uint64_t with_swap) {
  if (!memory.check_before_update.value_or(false)) return {};
  const int64_t limit = memory.limit.value_or(0), swap = memory.swap.value_or(0);
  if (limit > 0 && static_cast<uint64_t>(limit) < usage)
    return Error::of(ErrorKind::invalid, "%s: rejecting memory limit %lld < usage %llu", kLimit,
                     static_cast<long long>(limit), static_cast<unsigned long long>(usage));
  if (swap > 0 && static_cast<uint64_t>(swap) < with_swap)
    return Error::of(ErrorKind::invalid, "%s: rejecting memory+swap limit %lld < usage %llu", kSwap,
                     static_cast<long long>(swap), static_cast<unsigned long long>(with_swap));
  return {};
}

Status set_swap_v1(const ControlDirectory& directory, int64_t swap) {
  if (!directory.has("memory.memsw.limit_in_bytes")) {
    if (swap < 0) return {};
    return Error::of(ErrorKind::unsupported, "%s: this kernel does not account swap (swapaccount=1)", kSwap);
  }
  return directory.set(kSwap, "memory.memsw.limit_in_bytes", std::to_string(swap));
}

/// memory.limit_in_bytes may at no moment be above memory.memsw.limit_in_bytes: the one that moves away goes
/// first.
Status set_limit_and_swap_v1(const ControlDirectory& directory, int64_t limit, int64_t swap) {
  constexpr char kFile[] = "memory.limit_in_bytes";
  const auto set = [&] {
    return set_limit(directory, kFile, limit, "memory.usage_in_bytes", "memory.max_usage_in_bytes");
  };
  if (limit == -1 && swap == 0) swap = directory.has("memory.memsw.limit_in_bytes") ? -1 : 0;
  if (limit == 0 && swap == 0) return {};
  if (limit == 0) return set_swap_v1(directory, swap);
  if (swap == 0) return set();
  const uint64_t now = number_in(directory, kFile);
  if (swap < 0 || now < static_cast<uint64_t>(swap)) {
    TRY(set_swap_v1(directory, swap));
    return set();
  }
  TRY(set());
  return set_swap_v1(directory, swap);
}

/// The kernel has given up kernel memory limits (5.16 and later say EOPNOTSUPP, or take and ignore them);
/// the specification has deprecated them: what is not there is ignored.
Status set_kernel_v1(const ControlDirectory& directory, const char* property, const char* file,
                     Opt<int64_t> limit) {
  if (limit.value_or(0) == 0) return {};
  Status done = directory.set(property, file, std::to_string(*limit));
  if (done.ok()) return done;
  const int code = done.error().code();
  if (code == EOPNOTSUPP || done.error().kind() == ErrorKind::unsupported) return {};
  return done;
}

}  // namespace

Status apply_memory_v1(const ControlDirectory& directory, const oci::MemoryResources& memory) {
  if (memory.check_before_update.value_or(false))
    TRY(check_usage(memory, number_in(directory, "memory.usage_in_bytes"),
                    number_in(directory, "memory.memsw.usage_in_bytes")));
  TRY(set_kernel_v1(directory, "linux.resources.memory.kernel", "memory.kmem.limit_in_bytes", memory.kernel));
  TRY(set_limit_and_swap_v1(directory, memory.limit.value_or(0), memory.swap.value_or(0)));
  if (memory.reservation.value_or(0))
    TRY(directory.set("linux.resources.memory.reservation", "memory.soft_limit_in_bytes",
                      std::to_string(*memory.reservation)));
  TRY(set_kernel_v1(directory, "linux.resources.memory.kernelTCP", "memory.kmem.tcp.limit_in_bytes",
                    memory.kernel_tcp));
  if (memory.disable_oom_killer)
    // Only a change is written: the file refuses a plain 0 in the root cgroup and below use_hierarchy of old
    // kernels.
    if (*memory.disable_oom_killer || number_in(directory, "memory.oom_control") != 0 ||
        flat_keyed(TRY(directory.read("memory.oom_control")), "oom_kill_disable", 0) != 0)
      TRY(directory.set("linux.resources.memory.disableOOMKiller", "memory.oom_control",
                        *memory.disable_oom_killer ? "1" : "0"));
  if (memory.swappiness)
    TRY(directory.set("linux.resources.memory.swappiness", "memory.swappiness",
                      std::to_string(*memory.swappiness)));
  return {};
}

Status apply_memory_v2(const ControlDirectory& directory, const oci::MemoryResources& memory) {
  if (memory.kernel_tcp.value_or(0) > 0) return refuse("linux.resources.memory.kernelTCP");
  if (memory.disable_oom_killer.value_or(false)) return refuse("linux.resources.memory.disableOOMKiller");
  if (memory.swappiness) return refuse("linux.resources.memory.swappiness");
  if (memory.check_before_update.value_or(false)) {
    const uint64_t usage = number_in(directory, "memory.current");
    TRY(check_usage(memory, usage, usage + number_in(directory, "memory.swap.current")));
  }
  Opt<int64_t> limit = memory.limit;
  // An update of swap alone counts from the limit that is in force.
  if (limit.value_or(0) == 0 && memory.swap.value_or(0) > 0) {
    const uint64_t now = number_in(directory, "memory.max");
    if (now < static_cast<uint64_t>(INT64_MAX)) limit = static_cast<int64_t>(now);
  }
  const std::string swap = TRY(swap_max_text(limit, memory.swap));
  if (!swap.empty()) {
    // Without swap in the kernel there is no such file, and nothing to do for "none" and "all of it".
    const bool absent = !directory.has("memory.swap.max");
    if (!absent || (swap != "max" && swap != "0")) TRY(directory.set(kSwap, "memory.swap.max", swap));
  }
  if (memory.limit.value_or(0))
    TRY(set_limit(directory, "memory.max", *memory.limit, "memory.current", "memory.peak"));
  if (memory.reservation.value_or(0))
    TRY(directory.set("linux.resources.memory.reservation", "memory.low", limit_text(*memory.reservation)));
  return {};
}

}  // namespace slipway::runtime
