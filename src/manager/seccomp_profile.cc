#include "src/manager/seccomp_profile.h"

#include <fcntl.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "src/sys/file.h"

namespace slipway::manager {

/// "includes" and "excludes" of docker's profiles.
struct ProfileFilter {
  List<Str> caps, arches;
  Str min_kernel;
};

struct ProfileArgument {
  uint32_t index = 0;
  uint64_t value = 0, value_two = 0;
  Str op;
};

struct ProfileRule {
  Str name;
  List<Str> names;
  Str action;
  Opt<uint32_t> errno_ret;
  List<ProfileArgument> args;
  ProfileFilter* includes = nullptr;
  ProfileFilter* excludes = nullptr;
};

struct ProfileArchitecture {
  Str architecture;
  List<Str> sub_architectures;
};

struct Profile {
  Str default_action;
  Opt<uint32_t> default_errno_ret;
  List<Str> architectures;
  List<ProfileArchitecture> arch_map;
  List<Str> flags;
  Str listener_path, listener_metadata;
  List<ProfileRule> syscalls;
};

}  // namespace slipway::manager

JSON_OBJECT(slipway::manager::ProfileArgument, JSON_FIELD(slipway::manager::ProfileArgument, index, "index"),
            JSON_FIELD(slipway::manager::ProfileArgument, value, "value"),
            JSON_FIELD(slipway::manager::ProfileArgument, value_two, "valueTwo"),
            JSON_FIELD(slipway::manager::ProfileArgument, op, "op"));
JSON_OBJECT(slipway::manager::ProfileFilter, JSON_FIELD(slipway::manager::ProfileFilter, caps, "caps"),
            JSON_FIELD(slipway::manager::ProfileFilter, arches, "arches"),
            JSON_FIELD(slipway::manager::ProfileFilter, min_kernel, "minKernel"));
JSON_OBJECT(slipway::manager::ProfileRule, JSON_FIELD(slipway::manager::ProfileRule, name, "name"),
            JSON_FIELD(slipway::manager::ProfileRule, names, "names"),
            JSON_FIELD(slipway::manager::ProfileRule, action, "action"),
            JSON_FIELD(slipway::manager::ProfileRule, errno_ret, "errnoRet"),
            JSON_FIELD(slipway::manager::ProfileRule, args, "args"),
            JSON_FIELD(slipway::manager::ProfileRule, includes, "includes"),
            JSON_FIELD(slipway::manager::ProfileRule, excludes, "excludes"));
JSON_OBJECT(slipway::manager::ProfileArchitecture,
            JSON_FIELD(slipway::manager::ProfileArchitecture, architecture, "architecture"),
            JSON_FIELD(slipway::manager::ProfileArchitecture, sub_architectures, "subArchitectures"));
JSON_OBJECT(slipway::manager::Profile, JSON_FIELD(slipway::manager::Profile, default_action, "defaultAction"),
            JSON_FIELD(slipway::manager::Profile, default_errno_ret, "defaultErrnoRet"),
            JSON_FIELD(slipway::manager::Profile, architectures, "architectures"),
            JSON_FIELD(slipway::manager::Profile, arch_map, "archMap"),
            JSON_FIELD(slipway::manager::Profile, flags, "flags"),
            JSON_FIELD(slipway::manager::Profile, listener_path, "listenerPath"),
            JSON_FIELD(slipway::manager::Profile, listener_metadata, "listenerMetadata"),
            JSON_FIELD(slipway::manager::Profile, syscalls, "syscalls"));

namespace slipway::manager {

namespace {

constexpr size_t kProfileLimit = 4 << 20;

bool has(const List<Str>& list, std::string_view text) {
  return std::any_of(list.begin(), list.end(), [&](Str item) { return item == text; });
}

/// The machine as docker names it in "arches", and as seccomp names its architecture.
struct Machine {
  const char* docker;
  const char* seccomp;
};
Machine machine() {
#if defined(__x86_64__)
  return {"amd64", "SCMP_ARCH_X86_64"};
#elif defined(__aarch64__)
  return {"arm64", "SCMP_ARCH_AARCH64"};
#else
  return {"", ""};
#endif
}

bool kernel_is_at_least(Str version) {
  int want[2] = {0, 0};
  int have[2] = {0, 0};
  utsname system = {};
  uname(&system);
  sscanf(version.c_str(), "%d.%d", &want[0], &want[1]);
  sscanf(system.release, "%d.%d", &have[0], &have[1]);
  return have[0] != want[0] ? have[0] > want[0] : have[1] >= want[1];
}

bool applies(const ProfileRule& rule, const List<Str>& capabilities) {
  if (const ProfileFilter* in = rule.includes) {
    if (!in->arches.empty() && !has(in->arches, machine().docker)) return false;
    for (const Str cap : in->caps)
      if (!has(capabilities, cap)) return false;
    if (!in->min_kernel.empty() && !kernel_is_at_least(in->min_kernel)) return false;
  }
  if (const ProfileFilter* out = rule.excludes) {
    if (has(out->arches, machine().docker)) return false;
    for (const Str cap : out->caps)
      if (has(capabilities, cap)) return false;
    if (!out->min_kernel.empty() && kernel_is_at_least(out->min_kernel)) return false;
  }
  return true;
}

List<Str> architectures(const Profile& profile, Arena& arena) {
  if (!profile.architectures.empty()) return profile.architectures;
  ListBuilder<Str> list(arena);
  for (const ProfileArchitecture& entry : profile.arch_map) {
    if (entry.architecture != machine().seccomp) continue;
    list.add(entry.architecture);
    for (const Str sub : entry.sub_architectures) list.add(sub);
  }
  return list.list();
}

Result<oci::Seccomp*> read_profile(std::string_view text, const List<Str>& capabilities, Arena& arena) {
  const Profile* profile = TRY(json::read<Profile>(text, json::type<Profile>, arena));
  auto* out = arena.make<oci::Seccomp>();
  out->default_action = profile->default_action;
  out->default_errno_ret = profile->default_errno_ret;
  out->architectures = architectures(*profile, arena);
  if (!profile->flags.empty()) out->flags = profile->flags;
  out->listener_path = profile->listener_path;
  out->listener_metadata = profile->listener_metadata;
  ListBuilder<oci::SeccompSyscall> syscalls(arena);
  for (const ProfileRule& rule : profile->syscalls) {
    if (!applies(rule, capabilities)) continue;
    oci::SeccompSyscall syscall;
    syscall.names = rule.names;
    if (!rule.name.empty()) {
      syscall.names = arena.list<Str>(1);
      syscall.names[0] = rule.name;
    }
    syscall.action = rule.action;
    syscall.errno_ret = rule.errno_ret;
    syscall.args = arena.list<oci::SeccompArg>(rule.args.size());
    for (size_t i = 0; i < rule.args.size(); ++i)
      syscall.args[i] = {rule.args[i].index, rule.args[i].value, rule.args[i].value_two, rule.args[i].op};
    syscalls.add(syscall);
  }
  out->syscalls = syscalls.list();
  return out;
}

}  // namespace

Result<oci::Seccomp*> seccomp_for(const store::HostConfig& host, const List<Str>& capabilities,
                                  Arena& arena) {
  std::string_view choice;
  for (const Str option : host.security_opt)
    for (const std::string_view prefix : {"seccomp=", "seccomp:"})
      if (option.view().starts_with(prefix)) choice = option.view().substr(prefix.size());
  if (choice == "unconfined" || (choice.empty() && host.privileged)) return nullptr;
  if (choice.empty() || choice == "builtin") return default_seccomp(capabilities, arena);
  if (choice.starts_with('{'))
    return read_profile(choice, capabilities, arena).ctx("decoding seccomp profile failed");
  const std::string path(choice);
  const std::string text = TRY(sys::read_file_at(AT_FDCWD, path.c_str(), kProfileLimit)
                                   .ctx("opening seccomp profile (%s) failed", path.c_str()));
  return read_profile(text, capabilities, arena).ctx("decoding seccomp profile `%s` failed", path.c_str());
}

}  // namespace slipway::manager
