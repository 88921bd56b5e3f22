// linux.resources.cpu: cpu and cpuset controllers.
#include <cerrno>
#include <charconv>

#include "src/runtime/cgroup_resources.h"
#include "src/runtime/cgroup_values.h"

namespace slipway::runtime {
namespace {

constexpr char kShares[] = "linux.resources.cpu.shares";
constexpr char kQuota[] = "linux.resources.cpu.quota";
constexpr char kPeriod[] = "linux.resources.cpu.period";
constexpr char kBurst[] = "linux.resources.cpu.burst";
constexpr char kIdle[] = "linux.resources.cpu.idle";
constexpr char kRealtimePeriod[] = "linux.resources.cpu.realtimePeriod";
constexpr char kRealtimeRuntime[] = "linux.resources.cpu.realtimeRuntime";

/// The kernel checks each value against the others at once (a quota against the parent's, a burst against the
/// quota), so of two the first may be refused only because the second is still the old one: it gets a second
/// chance.
template <class First, class Second>
Status set_both(bool first_given, bool second_given, First first, Second second) {
  bool again = false;
  if (first_given) {
    Status done = first();
    if (!done.ok()) {
      if (!second_given || done.error().code() != EINVAL) return done;
      again = true;
    }
  }
  if (second_given) TRY(second());
  return again ? first() : Status();
}

/// The kernel rounds without a word what is out of its range; asked for is asked for.
Status set_shares_v1(const ControlDirectory& directory, uint64_t shares) {
  TRY(directory.set(kShares, "cpu.shares", std::to_string(shares)));
  const std::string text = TRY(directory.read("cpu.shares"));
  uint64_t got = shares;
  std::from_chars(text.data(), text.data() + text.size(), got);
  if (shares > got)
    return Error::of(ErrorKind::invalid, "%s: the maximum allowed cpu-shares is %llu", kShares,
                     static_cast<unsigned long long>(got));
  if (shares < got)
    return Error::of(ErrorKind::invalid, "%s: the minimum allowed cpu-shares is %llu", kShares,
                     static_cast<unsigned long long>(got));
  return {};
}

Status set_realtime(const ControlDirectory& directory, const oci::CpuResources& cpu) {
  const auto period = [&] {
    return directory.set(kRealtimePeriod, "cpu.rt_period_us", std::to_string(*cpu.realtime_period));
  };
  const auto runtime = [&] {
    return directory.set(kRealtimeRuntime, "cpu.rt_runtime_us", std::to_string(*cpu.realtime_runtime));
  };
  return set_both(cpu.realtime_period.value_or(0) != 0, cpu.realtime_runtime.value_or(0) != 0, period,
                  runtime);
}

}  // namespace

Status apply_cpu_v1(const ControlDirectory& directory, const oci::CpuResources& cpu) {
  TRY(set_realtime(directory, cpu));
  if (cpu.shares.value_or(0)) TRY(set_shares_v1(directory, *cpu.shares));
  const auto set_burst = [&] {
    return directory.set(kBurst, "cpu.cfs_burst_us", std::to_string(*cpu.burst));
  };
  const auto set_period = [&] {
    return directory.set(kPeriod, "cpu.cfs_period_us", std::to_string(*cpu.period));
  };
  const auto set_quota = [&] {
    return directory.set(kQuota, "cpu.cfs_quota_us", std::to_string(*cpu.quota));
  };
  const bool period = cpu.period.value_or(0) != 0, quota = cpu.quota.value_or(0) != 0;
  const auto set_bandwidth = [&] { return set_both(period, quota, set_period, set_quota); };
  TRY(set_both(cpu.burst.set, period || quota, set_burst, set_bandwidth));
  if (cpu.idle) TRY(directory.set(kIdle, "cpu.idle", std::to_string(*cpu.idle)));
  return {};
}

Status apply_cpu_v2(const ControlDirectory& directory, const oci::CpuResources& cpu) {
  for (const auto& [given, property] : {std::pair(cpu.realtime_runtime.value_or(0) != 0, kRealtimeRuntime),
                                        std::pair(cpu.realtime_period.value_or(0) != 0, kRealtimePeriod)})
    if (given) return Error::of(ErrorKind::unsupported, "%s: not supported on cgroup v2", property);

  if (cpu.idle) TRY(directory.set(kIdle, "cpu.idle", std::to_string(*cpu.idle)));
  // An idle cgroup has no weight: the kernel refuses one.
  if (cpu.shares.value_or(0) && cpu.idle.value_or(0) == 0)
    TRY(directory.set(kShares, "cpu.weight", std::to_string(cpu_weight_of_shares(*cpu.shares))));

  const bool period = cpu.period.value_or(0) != 0, quota = cpu.quota.value_or(0) != 0;
  const auto set_burst = [&] { return directory.set(kBurst, "cpu.max.burst", std::to_string(*cpu.burst)); };
  const auto set_bandwidth = [&]() -> Status {
    // A quota alone keeps the period; with a period alone, the quota in force is written again.
    std::string text = quota ? limit_text(*cpu.quota) : TRY(directory.read("cpu.max").ctx("%s", kPeriod));
    text.resize(text.find_first_of(" \n") == std::string::npos ? text.size() : text.find_first_of(" \n"));
    if (period) text += " " + std::to_string(*cpu.period);
    return directory.set(quota ? kQuota : kPeriod, "cpu.max", text);
  };
  return set_both(cpu.burst.set, period || quota, set_burst, set_bandwidth);
}

}  // namespace slipway::runtime
