// Limits, devices and shares among the options of `run` and `create`.
#include <unistd.h>

#include <cstdlib>

#include "oci/names.h"
#include "src/cli/slipway/container_options.h"
#include "src/cli/slipway/format.h"
#include "src/manager/spec.h"

namespace slipway::cli {

namespace {

constexpr int64_t kMinimumMemory = 6 << 20;

Result<int64_t> size_option(const Call& call, const char* name, bool minus_one) {
  const char* text = call.args.value(name);
  if (!text) return 0;
  if (minus_one && std::string_view(text) == "-1") return -1;
  return parse_size(text).ctx("invalid argument \"%s\" for --%s", text, name);
}

Status read_memory(const Call& call, store::HostConfig& host) {
  host.memory = TRY(size_option(call, "memory", false));
  host.memory_swap = TRY(size_option(call, "memory-swap", true));
  host.memory_reservation = TRY(size_option(call, "memory-reservation", false));
  if (host.memory > 0 && host.memory < kMinimumMemory)
    return Error::of(ErrorKind::invalid, "Minimum memory limit allowed is 6MB");
  // `update` knows the limit from the record.
  if (host.memory_swap > 0 && host.memory == 0 && call.args.has_option("shm-size"))
    return Error::of(ErrorKind::invalid,
                     "You should always set the Memory limit when using Memoryswap limit, see usage");
  if (host.memory_swap > 0 && host.memory > 0 && host.memory_swap < host.memory)
    return Error::of(ErrorKind::invalid,
                     "Minimum memoryswap limit should be larger than memory limit, see usage");
  if (host.memory > 0 && host.memory_reservation > host.memory)
    return Error::of(ErrorKind::invalid,
                     "Minimum memory limit can not be less than memory reservation limit, see usage");
  return {};
}

Status read_memory_details(const Call& call, store::HostConfig& host) {
  const int64_t swappiness = TRY(call.args.number("memory-swappiness", -1, INT64_MIN, INT64_MAX));
  if (swappiness < -1 || swappiness > 100)
    return Error::of(ErrorKind::usage, "invalid value: %lld. Valid memory swappiness range is 0-100",
                     static_cast<long long>(swappiness));
  if (swappiness >= 0) host.memory_swappiness = swappiness;
  host.oom_kill_disable = call.args.flag("oom-kill-disable");
  const int64_t shm = TRY(size_option(call, "shm-size", false));
  host.shm_size = shm ? shm : 64 << 20;
  return {};
}

Status read_cpu(const Call& call, store::HostConfig& host) {
  if (const char* text = call.args.value("cpus")) {
    char* end = nullptr;
    const double cpus = strtod(text, &end);
    if (end == text || *end || !(cpus >= 0) || cpus > 1e6)
      return Error::of(ErrorKind::usage,
                       "invalid argument \"%s\" for --cpus: failed to parse %s as a rational number", text,
                       text);
    host.nano_cpus = static_cast<int64_t>(cpus * 1e9 + 0.5);
    if (cpus > 0 && host.nano_cpus < 10'000'000)
      return Error::of(ErrorKind::usage, "invalid argument \"%s\" for --cpus: value is too small", text);
    const auto online = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
    if (cpus > online)
      return Error::of(ErrorKind::usage,
                       "Range of CPUs is from 0.01 to %.2f, as there are only %.0f CPUs available", online,
                       online);
  }
  host.cpu_shares = TRY(call.args.number("cpu-shares", 0, 0, 262144));
  host.cpu_period = TRY(call.args.number("cpu-period", 0, 0, 1'000'000));
  host.cpu_quota = TRY(call.args.number("cpu-quota", 0, -1, INT64_MAX));
  if (host.nano_cpus && (host.cpu_period || host.cpu_quota))
    return Error::of(ErrorKind::invalid, "Conflicting options: Nano CPUs and CPU %s cannot both be set",
                     host.cpu_period ? "Period" : "Quota");
  if (call.args.has_option("cpu-rt-period")) {
    host.cpu_realtime_period = TRY(call.args.number("cpu-rt-period", 0, 0, 1'000'000));
    host.cpu_realtime_runtime = TRY(call.args.number("cpu-rt-runtime", 0, 0, 1'000'000));
  }
  host.cpuset_cpus = Str::wrap(call.args.value("cpuset-cpus", ""));
  host.cpuset_mems = Str::wrap(call.args.value("cpuset-mems", ""));
  for (const Str set : {host.cpuset_cpus, host.cpuset_mems})
    if (set.view().find_first_not_of("0123456789,-") != std::string_view::npos)
      return Error::of(ErrorKind::usage, "Invalid value %s for cpuset", set.c_str());
  return {};
}

Result<List<store::ThrottleRule>> throttles(const Call& call, const char* option, bool bytes) {
  ListBuilder<store::ThrottleRule> rules(call.arena);
  for (const std::string_view word : call.args.values(option, call.arena)) {
    const size_t colon = word.rfind(':');
    if (colon == std::string_view::npos || word[0] != '/')
      return Error::of(ErrorKind::usage, "bad format for --%s: %s (DEVICE:RATE)", option, word.data());
    store::ThrottleRule rule;
    rule.path = call.arena.copy(word.substr(0, colon));
    rule.rate = static_cast<uint64_t>(TRY(parse_size(word.substr(colon + 1)).ctx("--%s", option)));
    if (!bytes && word.find_first_not_of("0123456789", colon + 1) != std::string_view::npos)
      return Error::of(ErrorKind::usage, "invalid rate for --%s: %s", option, word.data());
    rules.add(rule);
  }
  return rules.list();
}

Status read_block_weight(const Call& call, store::HostConfig& host) {
  host.blkio_weight = static_cast<uint16_t>(TRY(call.args.number("blkio-weight", 0, 0, 1000)));
  if (host.blkio_weight && host.blkio_weight < 10)
    return Error::of(ErrorKind::usage, "Range of blkio weight is from 10 to 1000");
  return {};
}

Status read_throttles(const Call& call, store::HostConfig& host) {
  host.blkio_weight_device = TRY(throttles(call, "blkio-weight-device", false));
  for (const store::ThrottleRule& rule : host.blkio_weight_device)
    if (rule.rate < 10 || rule.rate > 1000)
      return Error::of(ErrorKind::usage, "invalid weight for device: %s:%llu (10 to 1000)", rule.path.c_str(),
                       static_cast<unsigned long long>(rule.rate));
  host.blkio_device_read_bps = TRY(throttles(call, "device-read-bps", true));
  host.blkio_device_write_bps = TRY(throttles(call, "device-write-bps", true));
  host.blkio_device_read_iops = TRY(throttles(call, "device-read-iops", false));
  host.blkio_device_write_iops = TRY(throttles(call, "device-write-iops", false));
  return {};
}

bool is_device_permission(std::string_view text) {
  return !text.empty() && text.size() <= 3 && text.find_first_not_of("rwm") == std::string_view::npos;
}

Status read_devices(const Call& call, store::HostConfig& host) {
  ListBuilder<store::DeviceMapping> devices(call.arena);
  for (const std::string_view word : call.args.values("device", call.arena)) {
    const size_t first = word.find(':');
    store::DeviceMapping device;
    device.path_on_host = call.arena.copy(word.substr(0, first));
    device.path_in_container = device.path_on_host;
    device.cgroup_permissions = "rwm";
    if (first != std::string_view::npos) {
      const std::string_view rest = word.substr(first + 1);
      const size_t second = rest.find(':');
      const std::string_view target = rest.substr(0, second);
      if (second == std::string_view::npos && is_device_permission(target)) {
        device.cgroup_permissions = call.arena.copy(target);
      } else {
        device.path_in_container = call.arena.copy(target);
        if (second != std::string_view::npos)
          device.cgroup_permissions = call.arena.copy(rest.substr(second + 1));
      }
    }
    if (!is_device_permission(device.cgroup_permissions))
      return Error::of(ErrorKind::usage, "invalid device mode: %s", device.cgroup_permissions.c_str());
    if (!device.path_in_container.view().starts_with('/') || !device.path_on_host.view().starts_with('/'))
      return Error::of(ErrorKind::usage, "'%s' is not an absolute path", word.data());
    devices.add(device);
  }
  host.devices = devices.list();
  const List<const char*> rules = call.args.values("device-cgroup-rule", call.arena);
  host.device_cgroup_rules = call.arena.list<Str>(rules.count);
  for (size_t i = 0; i < rules.count; ++i) {
    host.device_cgroup_rules[i] = Str::wrap(rules[i]);
    TRY(manager::parse_device_rule(host.device_cgroup_rules[i], call.arena));
  }
  return {};
}

Status read_ulimits(const Call& call, store::HostConfig& host) {
  ListBuilder<store::Ulimit> limits(call.arena);
  for (const std::string_view word : call.args.values("ulimit", call.arena)) {
    const size_t equals = word.find('=');
    const auto bad = [&](const char* why) {
      return Error::of(ErrorKind::usage, "invalid argument \"%s\" for --ulimit: %s", word.data(), why);
    };
    if (equals == std::string_view::npos || equals == 0) return bad("must be NAME=SOFT[:HARD]");
    store::Ulimit limit;
    limit.name = call.arena.copy(word.substr(0, equals));
    std::string name = "RLIMIT_";
    for (const char c : limit.name.view()) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    if (!oci::find_name(oci::kRlimitNames, name)) return bad("invalid ulimit type");
    char* end = nullptr;
    limit.soft = limit.hard = strtoll(word.data() + equals + 1, &end, 10);
    if (end == word.data() + equals + 1) return bad("not a number");
    if (*end == ':') {
      const char* hard = end + 1;
      limit.hard = strtoll(hard, &end, 10);
      if (end == hard) return bad("not a number");
    }
    if (*end) return bad("not a number");
    if (limit.hard != -1 && (limit.soft > limit.hard || limit.soft == -1))
      return bad("ulimit soft limit must be less than or equal to hard limit");
    limits.add(limit);
  }
  host.ulimits = limits.list();
  return {};
}

Status read_pids(const Call& call, store::HostConfig& host) {
  if (call.args.given("pids-limit")) host.pids_limit = TRY(call.args.number("pids-limit", 0, -1, INT32_MAX));
  return {};
}

}  // namespace

Status read_update(const Call& call, store::HostConfig& host) {
  TRY(read_memory(call, host));
  TRY(read_cpu(call, host));
  TRY(read_block_weight(call, host));
  TRY(read_pids(call, host));
  return read_restart_policy(call, host);
}

Status read_resources(const Call& call, store::HostConfig& host) {
  TRY(read_memory(call, host));
  TRY(read_memory_details(call, host));
  TRY(read_cpu(call, host));
  TRY(read_block_weight(call, host));
  TRY(read_throttles(call, host));
  TRY(read_pids(call, host));
  TRY(read_devices(call, host));
  TRY(read_ulimits(call, host));
  host.oom_score_adj = static_cast<int32_t>(TRY(call.args.number("oom-score-adj", 0, -1000, 1000)));
  return {};
}

}  // namespace slipway::cli
