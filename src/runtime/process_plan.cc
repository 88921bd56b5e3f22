#include "src/runtime/process_plan.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "oci/names.h"
#include "src/sys/cap.h"
#include "src/sys/lsm.h"

namespace slipway::runtime {

namespace {

constexpr char kDefaultPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string_view name_of_variable(std::string_view entry) {
  return entry.substr(0, entry.find('='));
}

const char* find_variable(char* const* env, std::string_view name) {
  for (; *env; ++env)
    if (*env && name_of_variable(*env) == name && (*env)[name.size()] == '=') return *env + name.size() + 1;
  return nullptr;
}

char* const* plan_arguments(const List<Str>& args, Arena& arena) {
  char** argv = static_cast<char**>(arena.allocate((args.size() + 1) * sizeof(char*), alignof(char*)));
  for (uint32_t i = 0; i < args.size(); ++i) argv[i] = const_cast<char*>(args[i].c_str());
  return argv;
}

Result<uint64_t> named(std::span<const oci::Name> table, std::string_view name, const char* property) {
  const Opt<uint64_t> value = oci::find_name(table, name);
  if (!value)
    return Error::of(ErrorKind::invalid, "%s: unknown value `%.*s`", property, static_cast<int>(name.size()),
                     name.data());
  return *value;
}

Result<uint64_t> named_flags(std::span<const oci::Name> table, const List<Str>& names, const char* property) {
  uint64_t flags = 0;
  for (const Str& name : names) flags |= TRY(named(table, name, property));
  return flags;
}

/// Unknown names were warned about when the config was validated: they grant nothing.
uint64_t capability_set(const List<Str>& names) {
  uint64_t set = 0;
  for (const Str& name : names)
    if (const Opt<uint64_t> number = oci::find_name(oci::kCapabilityNames, name)) set |= 1ULL << *number;
  return set;
}

CapabilityPlan plan_capabilities(const oci::Capabilities* capabilities) {
  CapabilityPlan plan;
  plan.last = sys::last_capability();
  if (!capabilities) return plan;
  const uint64_t known = plan.last >= 63 ? ~0ULL : (1ULL << (plan.last + 1)) - 1;
  plan.bounding = capability_set(capabilities->bounding) & known;
  plan.effective = capability_set(capabilities->effective) & known;
  plan.permitted = capability_set(capabilities->permitted) & known;
  plan.inheritable = capability_set(capabilities->inheritable) & known;
  // The kernel lets only those be ambient that are permitted and inheritable.
  plan.ambient = capability_set(capabilities->ambient) & plan.permitted & plan.inheritable;
  return plan;
}

Status plan_limits(const oci::Process& process, Arena& arena, ProcessPlan* plan) {
  RlimitPlan* limits = arena.list<RlimitPlan>(process.rlimits.size()).items;
  for (uint32_t i = 0; i < process.rlimits.size(); ++i) {
    const oci::Rlimit& limit = process.rlimits[i];
    limits[i].resource = static_cast<int>(TRY(named(oci::kRlimitNames, limit.type, "process.rlimits")));
    limits[i].limit = {limit.soft, limit.hard};
    limits[i].name = limit.type.c_str();
  }
  plan->rlimits = limits;
  plan->rlimit_count = process.rlimits.size();
  return {};
}

Status plan_scheduling(const oci::Process& process, Arena& arena, ProcessPlan* plan) {
  if (const oci::Scheduler* scheduler = process.scheduler) {
    SchedulerPlan* attributes = arena.make<SchedulerPlan>();
    attributes->policy = static_cast<uint32_t>(
        TRY(named(oci::kSchedulerPolicies, scheduler->policy, "process.scheduler.policy")));
    attributes->flags = TRY(named_flags(oci::kSchedulerFlags, scheduler->flags, "process.scheduler.flags"));
    attributes->nice = scheduler->nice;
    attributes->priority = static_cast<uint32_t>(scheduler->priority);
    attributes->runtime = scheduler->runtime;
    attributes->deadline = scheduler->deadline;
    attributes->period = scheduler->period;
    plan->scheduler = attributes;
  }
  if (const oci::IoPriority* priority = process.io_priority) {
    constexpr int kClassShift = 13;
    const uint64_t io_class = TRY(named(oci::kIoClasses, priority->io_class, "process.ioPriority.class"));
    plan->io_priority = static_cast<int>(io_class) << kClassShift | priority->priority;
  }
  return {};
}

/// For what exec starts: it "is not applicable to the container's init process".
Status plan_affinity(const oci::ExecCpuAffinity& affinity, Arena& arena, ProcessPlan* plan) {
  const auto parse = [&](const Str& list, const char* property) -> Result<const uint8_t*> {
    if (list.empty()) return static_cast<const uint8_t*>(nullptr);
    return parse_cpu_list(list, arena).ctx("process.execCPUAffinity.%s", property);
  };
  plan->initial_affinity = TRY(parse(affinity.initial, "initial"));
  plan->final_affinity = TRY(parse(affinity.final, "final"));
  return {};
}

Status plan_memory_policy(const oci::MemoryPolicy& policy, Arena& arena, MemoryPolicyPlan* plan) {
  const uint64_t mode = TRY(named(oci::kMemoryPolicyModes, policy.mode, "linux.memoryPolicy.mode"));
  const uint64_t flags = TRY(named_flags(oci::kMemoryPolicyFlags, policy.flags, "linux.memoryPolicy.flags"));
  plan->set = true;
  plan->mode = static_cast<int>(mode | flags);
  if (policy.nodes.empty()) return {};
  // A node mask is read in longs, a CPU set in bytes; on little-endian machines they are the same.
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  const uint8_t* nodes = TRY(parse_cpu_list(policy.nodes, arena).ctx("linux.memoryPolicy.nodes"));
  plan->nodes = reinterpret_cast<const unsigned long*>(nodes);
  plan->bits = kCpuSetSize * 8;
  return {};
}

Status plan_linux(const oci::Linux& linux_, Arena& arena, ProcessPlan* plan) {
  if (linux_.personality)
    plan->personality = static_cast<long>(
        TRY(named(oci::kPersonalities, linux_.personality->domain, "linux.personality.domain")));
  if (linux_.memory_policy) TRY(plan_memory_policy(*linux_.memory_policy, arena, &plan->memory_policy));
  return {};
}

/// sd_listen_fds(3): the container's process is told of the first descriptors, as the runtime was.
List<Str> listen_variables(const ProcessOptions& options, Arena& arena) {
  ListBuilder<Str> extra(arena);
  if (options.listen_fds > 0) {
    extra.add(arena.format("LISTEN_FDS=%d", options.listen_fds));
    extra.add(Str("LISTEN_PID=1"));
  }
  return extra.list();
}

/// Without the security module nothing would hold the process to its label.
Status plan_labels(const oci::Process& process, ProcessPlan* plan) {
  if (!process.apparmor_profile.empty()) {
    if (!sys::has_apparmor())
      return Error::of(ErrorKind::unsupported, "process.apparmorProfile is set, but AppArmor is not enabled");
    plan->apparmor = process.apparmor_profile.c_str();
  }
  if (!process.selinux_label.empty()) {
    if (!sys::has_selinux())
      return Error::of(ErrorKind::unsupported, "process.selinuxLabel is set, but SELinux is not enabled");
    plan->selinux = process.selinux_label.c_str();
  }
  return {};
}

}  // namespace

Result<const uint8_t*> parse_cpu_list(std::string_view text, Arena& arena) {
  uint8_t* set = static_cast<uint8_t*>(arena.allocate(kCpuSetSize, alignof(unsigned long)));
  const Str copy = arena.copy(text);
  for (const char* at = copy.c_str();;) {
    char* end;
    while (*at == ' ') ++at;
    const unsigned long first = strtoul(at, &end, 10);
    unsigned long last = first;
    bool good = end != at && *at != '-' && *at != '+';
    if (good && *end == '-') {
      at = end + 1;
      last = strtoul(at, &end, 10);
      good = end != at && *at >= '0' && *at <= '9';
    }
    while (*end == ' ') ++end;
    if (!good || last < first || last >= kCpuSetSize * 8 || (*end != ',' && *end != 0))
      return Error::of(ErrorKind::invalid, "`%s` is not a list such as `0-3,7`", copy.c_str());
    for (unsigned long i = first; i <= last; ++i) set[i / 8] |= static_cast<uint8_t>(1U << (i % 8));
    if (*end == 0) return set;
    at = end + 1;
  }
}

char** plan_environment(const List<Str>& env, const List<Str>& extra, char*** home_slot, Arena& arena) {
  const size_t room = env.size() + extra.size() + 2;
  char** const result = static_cast<char**>(arena.allocate(room * sizeof(char*), alignof(char*)));
  size_t count = 0;
  bool has_home = false;
  for (const List<Str>& list : {env, extra}) {
    for (const Str& entry : list) {
      const std::string_view name = name_of_variable(entry);
      if (name == "HOME") {
        if (entry.size <= 5) continue;  // an empty one is as good as none
        has_home = true;
      }
      size_t at = 0;
      while (at < count && name_of_variable(result[at]) != name) ++at;
      result[at] = const_cast<char*>(entry.c_str());
      if (at == count) ++count;
    }
  }
  *home_slot = has_home ? nullptr : &result[count];
  return result;
}

Result<ProcessPlan> plan_process(const oci::Process& process, const oci::Linux* linux_,
                                 const ProcessOptions& options, Arena& arena) {
  ProcessPlan plan;
  if (process.args.empty()) return Error::of(ErrorKind::invalid, "process.args must not be empty");
  plan.argv = plan_arguments(process.args, arena);
  plan.env = plan_environment(process.env, listen_variables(options, arena), &plan.home_slot, arena);
  plan.home_text = static_cast<char*>(arena.allocate(kPathRoom + 8, 1));
  plan.program = static_cast<char*>(arena.allocate(kPathRoom, 1));
  const char* path = find_variable(plan.env, "PATH");
  plan.search_path = path ? path : kDefaultPath;
  plan.cwd = process.cwd.empty() ? "/" : process.cwd.c_str();

  plan.uid = process.user.uid;
  plan.gid = process.user.gid;
  plan.groups = process.user.additional_gids.items;
  plan.group_count = process.user.additional_gids.size();
  plan.umask = process.user.umask.value_or(0022);

  plan.capabilities = plan_capabilities(process.capabilities);
  TRY(plan_limits(process, arena, &plan));
  TRY(plan_scheduling(process, arena, &plan));
  if (linux_) TRY(plan_linux(*linux_, arena, &plan));
  if (!linux_ && process.exec_cpu_affinity) TRY(plan_affinity(*process.exec_cpu_affinity, arena, &plan));
  plan.no_new_privileges = process.no_new_privileges;
  TRY(plan_labels(process, &plan));

  plan.terminal = process.terminal;
  if (process.terminal && process.console_size) {
    plan.rows = static_cast<uint16_t>(process.console_size->height);
    plan.columns = static_cast<uint16_t>(process.console_size->width);
  }
  for (int i = 0; i < 3; ++i) plan.stdio[i] = options.stdio[i];
  plan.preserve_fds = static_cast<unsigned>(options.preserve_fds);
  return plan;
}

}  // namespace slipway::runtime
