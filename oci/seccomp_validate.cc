// What a seccomp profile must be.
#include "oci/names.h"
#include "oci/spec.h"
#include "oci/validate.h"

namespace slipway::oci {

namespace {

Error invalid(const char* property, const char* problem, std::string_view quoted) {
  return Error::of(ErrorKind::invalid, "linux.seccomp.%s: %s \"%.*s\"", property, problem, shown(quoted),
                   quoted.data());
}

bool takes_errno(std::string_view action) {
  return action == "SCMP_ACT_ERRNO" || action == "SCMP_ACT_TRACE";
}

Status validate_errno(const char* property, std::string_view action, Opt<uint32_t> value) {
  constexpr uint32_t kMaxErrno = 4095;  // the kernel's MAX_ERRNO: it would cut larger ones
  if (!value) return {};
  if (!takes_errno(action)) return invalid(property, "has no meaning for action", action);
  if (action == "SCMP_ACT_ERRNO" && *value > kMaxErrno)
    return Error::of(ErrorKind::invalid, "linux.seccomp.%s: %u is not an errno", property, *value);
  if (*value > 0xffff)
    return Error::of(ErrorKind::invalid, "linux.seccomp.%s: %u is above 65535", property, *value);
  return {};
}

Status validate_rule(const SeccompSyscall& rule, uint32_t i) {
  if (rule.names.empty())
    return Error::of(ErrorKind::invalid, "linux.seccomp.syscalls[%u].names: is required", i);
  if (!find_name(kSeccompActions, rule.action))
    return invalid("syscalls.action", "unknown action", rule.action);
  TRY(validate_errno("syscalls.errnoRet", rule.action, rule.errno_ret));
  // The program that answers would have to write, and wait for itself.
  if (rule.action == "SCMP_ACT_NOTIFY")
    for (Str name : rule.names)
      if (name == "write")
        return Error::of(ErrorKind::invalid,
                         "linux.seccomp.syscalls: SCMP_ACT_NOTIFY cannot be used for the write syscall");
  for (const SeccompArg& arg : rule.args) {
    if (arg.index > 5)
      return Error::of(ErrorKind::invalid, "linux.seccomp.syscalls.args.index: %u is not in 0..5", arg.index);
    if (!find_name(kSeccompOperators, arg.op)) return invalid("syscalls.args.op", "unknown operator", arg.op);
  }
  return {};
}

bool uses_notify(const Seccomp& seccomp) {
  for (const SeccompSyscall& rule : seccomp.syscalls)
    if (rule.action == "SCMP_ACT_NOTIFY") return true;
  return false;
}

}  // namespace

Status validate_seccomp(const Seccomp& seccomp, Warnings& warnings) {
  if (seccomp.default_action.empty())
    return Error::of(ErrorKind::invalid, "linux.seccomp.defaultAction: is required");
  if (!find_name(kSeccompActions, seccomp.default_action))
    return invalid("defaultAction", "unknown action", seccomp.default_action);
  if (seccomp.default_action == "SCMP_ACT_NOTIFY")
    return Error::of(ErrorKind::invalid,
                     "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be used as default action");
  TRY(validate_errno("defaultErrnoRet", seccomp.default_action, seccomp.default_errno_ret));
  for (Str architecture : seccomp.architectures)
    if (!find_name(kSeccompArchitectures, architecture))
      return invalid("architectures", "unknown architecture", architecture);
  if (seccomp.flags)
    for (Str flag : *seccomp.flags)
      if (!find_name(kSeccompFlags, flag)) return invalid("flags", "unknown flag", flag);
  for (uint32_t i = 0; i < seccomp.syscalls.count; ++i) TRY(validate_rule(seccomp.syscalls[i], i));
  const bool notify = uses_notify(seccomp);
  if (notify && seccomp.listener_path.empty())
    return Error::of(ErrorKind::invalid, "linux.seccomp.listenerPath: is required with SCMP_ACT_NOTIFY");
  if (!notify && !seccomp.listener_path.empty())
    warn(warnings, "linux.seccomp.listenerPath: no rule uses SCMP_ACT_NOTIFY, ignored");
  if (!seccomp.listener_path.empty() && !is_absolute(seccomp.listener_path))
    return invalid("listenerPath", "not an absolute path:", seccomp.listener_path);
  if (seccomp.listener_path.empty() && !seccomp.listener_metadata.empty())
    return Error::of(ErrorKind::invalid, "linux.seccomp.listenerMetadata: is only allowed with listenerPath");
  return {};
}

}  // namespace slipway::oci
