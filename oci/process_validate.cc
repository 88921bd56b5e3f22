// What a process must be: of config.json and of `exec --process`.
#include "oci/names.h"
#include "oci/spec.h"
#include "oci/validate.h"

namespace slipway::oci {

namespace {

Error invalid(const char* property, const char* problem, std::string_view quoted) {
  return Error::of(ErrorKind::invalid, "%s: %s \"%.*s\"", property, problem, shown(quoted), quoted.data());
}

Status validate_command(const Process& process, Warnings& warnings) {
  if (!process.command_line.empty()) warn(warnings, "process.commandLine: is for Windows, ignored");
  if (process.args.empty()) return Error::of(ErrorKind::invalid, "process.args must not be empty");
  if (process.cwd.empty()) return Error::of(ErrorKind::invalid, "process.cwd: is required");
  if (!is_absolute(process.cwd)) return invalid("process.cwd", "not an absolute path:", process.cwd);
  for (uint32_t i = 0; i < process.env.count; ++i) {
    const size_t equals = process.env[i].view().find('=');
    if (equals == std::string_view::npos)
      return Error::of(ErrorKind::invalid, "process.env[%u]: invalid environment variable: missing '='", i);
    if (equals == 0)
      return Error::of(ErrorKind::invalid,
                       "process.env[%u]: invalid environment variable: name cannot be empty", i);
  }
  return {};
}

Status validate_user(const User& user, Warnings& warnings) {
  if (!user.username.empty()) warn(warnings, "process.user.username: is for Windows, ignored");
  // (uid_t)-1 means "leave it" to the kernel.
  if (user.uid == UINT32_MAX) return Error::of(ErrorKind::invalid, "process.user.uid: 4294967295 is no user");
  if (user.gid == UINT32_MAX)
    return Error::of(ErrorKind::invalid, "process.user.gid: 4294967295 is no group");
  for (uint32_t gid : user.additional_gids)
    if (gid == UINT32_MAX)
      return Error::of(ErrorKind::invalid, "process.user.additionalGids: 4294967295 is no group");
  return {};
}

/// Unknown names are left out with a warning, as runc does: profiles are written for newer kernels, too.
void check_capabilities(const Capabilities& capabilities, Warnings& warnings) {
  const auto check = [&](const char* set, List<Str> names) {
    for (Str name : names)
      if (!find_name(kCapabilityNames, name))
        warn(warnings, "process.capabilities.%s: unknown capability \"%.*s\", ignored", set, shown(name),
             name.c_str());
  };
  check("bounding", capabilities.bounding);
  check("effective", capabilities.effective);
  check("inheritable", capabilities.inheritable);
  check("permitted", capabilities.permitted);
  check("ambient", capabilities.ambient);
}

Status validate_rlimits(List<Rlimit> rlimits) {
  for (uint32_t i = 0; i < rlimits.count; ++i) {
    const Rlimit& limit = rlimits[i];
    if (!find_name(kRlimitNames, limit.type))
      return Error::of(ErrorKind::invalid, "process.rlimits[%u].type: invalid rlimit type \"%.*s\"", i,
                       shown(limit.type), limit.type.c_str());
    if (limit.soft > limit.hard)
      return Error::of(ErrorKind::invalid, "process.rlimits[%u]: soft limit of %s is above the hard limit", i,
                       limit.type.c_str());
    for (uint32_t k = 0; k < i; ++k)
      if (rlimits[k].type == limit.type.view())
        return Error::of(ErrorKind::invalid, "process.rlimits: duplicated rlimit \"%s\"", limit.type.c_str());
  }
  return {};
}

Status validate_scheduler(const Scheduler& scheduler) {
  const std::string_view policy = scheduler.policy;
  if (policy == "SCHED_ISO")
    return Error::of(ErrorKind::unsupported, "process.scheduler.policy: Linux does not have SCHED_ISO");
  if (!find_name(kSchedulerPolicies, policy))
    return invalid("process.scheduler.policy", "unknown policy", policy);
  for (Str flag : scheduler.flags)
    if (!find_name(kSchedulerFlags, flag)) return invalid("process.scheduler.flags", "unknown flag", flag);
  const bool nice = policy == "SCHED_OTHER" || policy == "SCHED_BATCH";
  const bool realtime = policy == "SCHED_FIFO" || policy == "SCHED_RR";
  if (scheduler.nice != 0 && !nice)
    return Error::of(ErrorKind::invalid, "process.scheduler.nice: is for SCHED_OTHER and SCHED_BATCH only");
  if (scheduler.nice < -20 || scheduler.nice > 19)
    return Error::of(ErrorKind::invalid, "process.scheduler.nice: %d is not in -20..19", scheduler.nice);
  if (scheduler.priority != 0 && !realtime)
    return Error::of(ErrorKind::invalid, "process.scheduler.priority: is for SCHED_FIFO and SCHED_RR only");
  if (realtime && (scheduler.priority < 1 || scheduler.priority > 99))
    return Error::of(ErrorKind::invalid, "process.scheduler.priority: %d is not in 1..99",
                     scheduler.priority);
  const bool deadline = scheduler.runtime || scheduler.deadline || scheduler.period;
  if (deadline && policy != "SCHED_DEADLINE")
    return Error::of(ErrorKind::invalid,
                     "process.scheduler: runtime, deadline and period are for SCHED_DEADLINE only");
  return {};
}

Status validate_io_priority(const IoPriority& io) {
  if (!find_name(kIoClasses, io.io_class))
    return invalid("process.ioPriority.class", "unknown class", io.io_class);
  if (io.priority < 0 || io.priority > 7)
    return Error::of(ErrorKind::invalid, "process.ioPriority.priority: %d is not in 0..7", io.priority);
  return {};
}

Status validate_affinity(const ExecCpuAffinity& affinity) {
  if (!affinity.initial.empty() && !is_number_list(affinity.initial))
    return invalid("process.execCPUAffinity.initial", "not a list of CPUs:", affinity.initial);
  if (!affinity.final.empty() && !is_number_list(affinity.final))
    return invalid("process.execCPUAffinity.final", "not a list of CPUs:", affinity.final);
  return {};
}

}  // namespace

Status validate_process(const Process& process, Warnings& warnings) {
  TRY(validate_command(process, warnings));
  TRY(validate_user(process.user, warnings));
  if (process.capabilities) check_capabilities(*process.capabilities, warnings);
  TRY(validate_rlimits(process.rlimits));
  if (process.oom_score_adj && (*process.oom_score_adj < -1000 || *process.oom_score_adj > 1000))
    return Error::of(ErrorKind::invalid, "process.oomScoreAdj: %d is not in -1000..1000",
                     *process.oom_score_adj);
  if (process.console_size &&
      (process.console_size->height > UINT16_MAX || process.console_size->width > UINT16_MAX))
    return Error::of(ErrorKind::invalid, "process.consoleSize: %ux%u is too large",
                     process.console_size->width, process.console_size->height);
  if (process.scheduler) TRY(validate_scheduler(*process.scheduler));
  if (process.io_priority) TRY(validate_io_priority(*process.io_priority));
  if (process.exec_cpu_affinity) TRY(validate_affinity(*process.exec_cpu_affinity));
  return {};
}

}  // namespace slipway::oci
