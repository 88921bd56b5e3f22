#include "src/runtime/seccomp.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "oci/names.h"
#include "src/runtime/seccomp_cache.h"

namespace slipway::runtime {

namespace {

#ifndef SECCOMP_FILTER_FLAG_TSYNC_ESRCH
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH (1UL << 4)
#endif
constexpr uint32_t kWaitKillable = 1U << 5;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 5.19

/// The kernel's value of an action that validate_spec() has let pass, with the errno in it.
uint32_t action_value(std::string_view name, Opt<uint32_t> errno_ret) {
  const auto action = static_cast<uint32_t>(*oci::find_name(oci::kSeccompActions, name));
  if (action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE)
    return action | (errno_ret.value_or(EPERM) & SECCOMP_RET_DATA);
  return action;
}

bool has_index_twice(List<oci::SeccompArg> args) {
  uint32_t seen = 0;
  for (const oci::SeccompArg& arg : args) {
    if (seen & 1U << arg.index) return true;
    seen |= 1U << arg.index;
  }
  return false;
}

class ProfileBuilder {
 public:
  explicit ProfileBuilder(Arena& arena) : arena_(arena), rules_(arena) {}

  void add(const oci::SeccompSyscall& call) {
    const uint32_t action = action_value(call.action, call.errno_ret);
    List<sys::SeccompCondition> conditions = arena_.list<sys::SeccompCondition>(call.args.count);
    for (uint32_t i = 0; i < call.args.count; ++i) conditions[i] = condition(call.args[i]);
    if (!has_index_twice(call.args)) {
      rules_.add({call.names, action, conditions});
      return;
    }
    // A program cannot compare an argument twice in one rule. All runtimes have read such a rule as "any of
    // them holds" since libcontainer did.
    for (uint32_t i = 0; i < conditions.count; ++i) rules_.add({call.names, action, {&conditions[i], 1}});
  }
  List<sys::SeccompRule> rules() const { return rules_.list(); }

 private:
  static sys::SeccompCondition condition(const oci::SeccompArg& arg) {
    sys::SeccompCondition out;
    out.index = arg.index;
    out.op = static_cast<sys::SeccompCondition::Op>(*oci::find_name(oci::kSeccompOperators, arg.op));
    out.value = arg.value;
    out.other = arg.value_two;
    return out;
  }

  Arena& arena_;
  ListBuilder<sys::SeccompRule> rules_;
};

bool notifies(List<sys::SeccompRule> rules) {
  return std::any_of(rules.begin(), rules.end(),
                     [](const sys::SeccompRule& rule) { return rule.action == SECCOMP_RET_USER_NOTIF; });
}

Result<uint32_t> flags_of(const oci::Seccomp& seccomp, bool notify) {
  uint32_t flags = 0;
  if (!seccomp.flags) {
    // Speculation bypasses are the container's own business (config-linux.md does not say so, runc does).
    if (sys::kernel_has_seccomp_flag(SECCOMP_FILTER_FLAG_SPEC_ALLOW)) flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  } else {
    for (Str name : *seccomp.flags) {
      const auto flag = static_cast<uint32_t>(*oci::find_name(oci::kSeccompFlags, name));
      if (flag == kWaitKillable && !notify) continue;  // it is about waiting for an answer
      if (!sys::kernel_has_seccomp_flag(flag |
                                        (flag == kWaitKillable ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0)))
        return Error::of(ErrorKind::unsupported, "linux.seccomp.flags: this kernel does not have %s",
                         name.c_str());
      flags |= flag;
    }
  }
  if (!notify) return flags;
  flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  // Both return a number; the kernel wants to be told which one is meant.
  if (flags & SECCOMP_FILTER_FLAG_TSYNC) flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
  return flags;
}

Result<sys::SeccompProfile> profile_of(const oci::Seccomp& seccomp, Arena& arena) {
  sys::SeccompProfile profile;
  profile.default_action = action_value(seccomp.default_action, seccomp.default_errno_ret);
  profile.architectures = seccomp.architectures;
  ProfileBuilder builder(arena);
  for (const oci::SeccompSyscall& call : seccomp.syscalls) builder.add(call);
  profile.rules = builder.rules();
  profile.flags = TRY(flags_of(seccomp, notifies(profile.rules)));
  return profile;
}

}  // namespace

Status check_seccomp_calls(const oci::Seccomp& seccomp) {
  for (const oci::SeccompSyscall& call : seccomp.syscalls)
    for (Str name : call.names)
      if (!sys::is_seccomp_call(name.c_str()))
        return Error::of(ErrorKind::unsupported, "linux.seccomp.syscalls: unknown system call `%s`",
                         name.c_str());
  return {};
}

Result<sys::SeccompProgram> seccomp_program(const oci::Seccomp& seccomp, const std::string& root) {
  Arena arena;
  const sys::SeccompProfile profile = TRY(profile_of(seccomp, arena));
  const SeccompCache cache(root);
  const std::string key = SeccompCache::key(profile);
  if (std::optional<sys::SeccompProgram> cached = cache.find(key)) {
    cached->flags = profile.flags;
    cached->notify = profile.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
    return std::move(*cached);
  }
  sys::SeccompProgram program = TRY(sys::compile_seccomp(profile));
  cache.store(key, program);
  return program;
}

SeccompPlan seccomp_plan(const sys::SeccompProgram& program) {
  SeccompPlan plan;
  plan.code = program.code.data();
  plan.length = static_cast<uint32_t>(program.code.size());
  plan.flags = program.flags;
  plan.notify = program.notify;
  return plan;
}

}  // namespace slipway::runtime
