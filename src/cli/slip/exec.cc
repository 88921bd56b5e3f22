// slip exec: a further process in a running container.
#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "oci/spec.h"
#include "src/cli/slip/bundle.h"
#include "src/cli/slip/capabilities.h"
#include "src/cli/slip/globals.h"
#include "src/cli/slip/verbs.h"
#include "src/sys/file.h"
#include "src/sys/self_exe.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions =
    join(kProcessOptions,
         std::to_array<Option>({
             flag("detach", 'd', "leave the process running and return"),
             value("process", 'p', "FILE", "a process as in config.json, instead of a command"),
             value("cwd", 0, "PATH", "working directory in the container"),
             list("env", 'e', "NAME=VALUE", "set an environment variable"),
             flag("tty", 't', "give the process a terminal"),
             value("user", 'u', "UID[:GID]", "the user, by number or by a name of the container"),
             list("additional-gids", 'g', "GID", "a supplementary group"),
             value("process-label", 0, "LABEL", "SELinux label of the process"),
             value("apparmor", 0, "PROFILE", "AppArmor profile of the process"),
             flag("no-new-privs", 0, "no program may raise the privileges of the process"),
             list("cap", 'c', "NAME", "add a capability"),
             list("cgroup", 0, "[CONTROLLER:]PATH", "run in this cgroup below the container's own"),
             flag("ignore-paused", 0, "enter a paused container, too: the process waits"),
         }));

/// What --process has in it; an option would be overruled in silence.
constexpr const char* kOverruled[] = {"cwd",      "env",           "user", "additional-gids",
                                      "apparmor", "process-label", "cap",  "no-new-privs"};

template <class T>
List<T> with(List<T> items, std::initializer_list<T> more, Arena& arena) {
  ListBuilder<T> all(arena);
  for (const T& item : items) all.add(item);
  for (const T& item : more) all.add(item);
  return all.list();
}

class ProcessReader {
 public:
  ProcessReader(const Call& call, const runtime::Context& context)
      : call_(call), context_(context), warnings_(call.arena) {}

  Result<oci::Process*> read() {
    const char* file = call_.args.value("process");
    oci::Process* process = file ? TRY(from_file(file)) : TRY(from_arguments());
    TRY(oci::validate_process(*process, warnings_));
    if (process->capabilities) TRY(limit_capabilities(*process));
    return process;
  }
  const oci::Warnings& warnings() const { return warnings_; }

 private:
  Result<oci::Process*> from_file(const char* file) {
    for (const char* option : kOverruled)
      if (call_.args.given(option))
        return Error::of(ErrorKind::usage, "--%s cannot be used with --process, which says it all", option);
    if (call_.args.size() > 1)
      return Error::of(ErrorKind::usage, "a command cannot be used with --process, which says it all");
    const std::string text = TRY(sys::read_file_at(AT_FDCWD, file, kMaxConfig));
    oci::Process* process = TRY(oci::parse_process(text, call_.arena, warnings_).ctx("%s", file));
    process->terminal |= call_.args.flag("tty");
    return process;
  }

  /// The container's own process with another command; options change it.
  Result<oci::Process*> from_arguments() {
    const oci::Spec* spec = TRY(runtime::load_spec(context_, call_.args[0], call_.arena));
    if (call_.args.size() < 2) return Error::of(ErrorKind::invalid, "process args cannot be empty");
    auto* process = call_.arena.make<oci::Process>();
    if (spec->process) *process = *spec->process;
    ListBuilder<Str> words(call_.arena);
    for (const char* word : call_.args.positionals().subspan(1)) words.add(Str::wrap(word));
    process->args = words.list();
    process->terminal = call_.args.flag("tty");
    process->console_size = nullptr;
    if (const char* cwd = call_.args.value("cwd")) process->cwd = Str::wrap(cwd);
    if (const char* label = call_.args.value("process-label")) process->selinux_label = Str::wrap(label);
    if (const char* profile = call_.args.value("apparmor")) process->apparmor_profile = Str::wrap(profile);
    if (call_.args.given("no-new-privs")) process->no_new_privileges = call_.args.flag("no-new-privs");
    for (const char* variable : call_.args.values("env", call_.arena))
      process->env = with(process->env, {Str::wrap(variable)}, call_.arena);
    add_capabilities(*process);
    TRY(set_user(*process));
    return process;
  }

  void add_capabilities(oci::Process& process) {
    const List<const char*> names = call_.args.values("cap", call_.arena);
    if (names.empty()) return;
    auto* sets = call_.arena.make<oci::Capabilities>();
    if (process.capabilities) *sets = *process.capabilities;
    for (const char* name : names) {
      const Str added = Str::wrap(name);
      // Never inheritable (CVE-2022-29162), and so ambient only if the container has it inheritable.
      sets->bounding = with(sets->bounding, {added}, call_.arena);
      sets->effective = with(sets->effective, {added}, call_.arena);
      sets->permitted = with(sets->permitted, {added}, call_.arena);
      const List<Str>& inheritable = sets->inheritable;
      if (std::find(inheritable.begin(), inheritable.end(), added) != inheritable.end())
        sets->ambient = with(sets->ambient, {added}, call_.arena);
    }
    process.capabilities = sets;
  }

  /// The container's configuration is read for it only where something may be missing.
  Status limit_capabilities(oci::Process& process) {
    const bool own_user_namespace =
        !may_grant(*process.capabilities) &&
        has_user_namespace(*TRY(runtime::load_spec(context_, call_.args[0], call_.arena)));
    leave_out_ungranted(process, own_user_namespace, call_.arena, warnings_);
    return {};
  }

  Status set_user(oci::Process& process) {
    if (const char* user = call_.args.value("user"))
      process.user = TRY(runtime::resolve_user(context_, call_.args[0], user, process.user, call_.arena));
    for (const char* text : call_.args.values("additional-gids", call_.arena)) {
      char* end = nullptr;
      errno = 0;
      const unsigned long gid = strtoul(text, &end, 10);
      if (text[0] < '0' || text[0] > '9' || *end || errno || gid >= UINT32_MAX)
        return Error::of(ErrorKind::usage, "invalid value \"%s\" for --additional-gids", text);
      process.user.additional_gids =
          with(process.user.additional_gids, {static_cast<uint32_t>(gid)}, call_.arena);
    }
    return {};
  }

  const Call& call_;
  const runtime::Context& context_;
  oci::Warnings warnings_;
};

/// --cgroup, each "PATH" or "CONTROLLER[,CONTROLLER]:PATH". A path without controllers is for all of them, and so
/// stands alone.
Result<std::vector<runtime::SubCgroup>> read_sub_cgroups(const Call& call) {
  std::vector<runtime::SubCgroup> subs;
  const List<const char*> texts = call.args.values("cgroup", call.arena);
  for (const char* text : texts) {
    const char* const colon = strchr(text, ':');
    if (!colon && texts.count > 1)
      return Error::of(ErrorKind::usage, "invalid --cgroup argument: %s (missing <controller>: prefix)",
                       text);
    if (colon && strchr(colon + 1, ':'))
      return Error::of(ErrorKind::usage, "invalid --cgroup argument: %s", text);
    const char* const path = colon ? colon + 1 : text;
    std::string_view rest(text, colon ? static_cast<size_t>(colon - text) : 0);
    for (;;) {
      const size_t comma = rest.find(',');
      const std::string name(rest.substr(0, comma));
      if (colon && name.empty())
        return Error::of(ErrorKind::usage, "invalid --cgroup argument: %s (empty <controller> prefix)", text);
      for (const runtime::SubCgroup& sub : subs)
        if (sub.controller == name)
          return Error::of(ErrorKind::usage, "invalid --cgroup argument(s): multiple paths for %s",
                           name.c_str());
      subs.push_back({name, path});
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return subs;
}

Result<runtime::ExecOptions> read_exec_options(const Call& call, bool terminal, bool detached) {
  runtime::ExecOptions out;
  TRY(read_process_options(call, terminal, detached, out));
  // Sockets of a service manager are for the container's first process.
  out.preserve_fds -= out.listen_fds;
  out.listen_fds = 0;
  out.sub_cgroups = TRY(read_sub_cgroups(call));
  out.ignore_paused = call.args.flag("ignore-paused");
  return out;
}

Result<int> exec(const Call& call) {
  TRY(sys::protect_self(call.argv, call.envp));
  const Globals globals = TRY(read_globals(call));
  const char* id = call.args[0];
  const bool detached = call.args.flag("detach");
  ProcessReader reader(call, globals.context);
  const oci::Process* process = TRY(reader.read());
  const runtime::ExecOptions options = TRY(read_exec_options(call, process->terminal, detached));
  if (detached) {
    TRY(runtime::exec(globals.context, id, *process, options));
    tell_warnings(call, reader.warnings());
    return 0;
  }
  runtime::Foreground foreground = TRY(runtime::Foreground::begin(false));
  runtime::Created created = TRY(runtime::exec(globals.context, id, *process, options));
  tell_warnings(call, reader.warnings());
  return foreground.wait(created);
}

/// Engines look for the words in front, too.
Result<int> run(const Call& call) {
  Result<int> code = exec(call);
  if (!code.ok() && code.error().kind() != ErrorKind::usage) code.error().add_context("exec failed");
  return code;
}

}  // namespace

const Verb kExecVerb = {
    .name = "exec",
    .arguments = "ID COMMAND [ARG...]",
    .summary = "Run a further process in a running container",
    .options = kOptions,
    .min_args = 1,
    .max_args = kNoLimit,
    .in_order = true,
    .run = run,
};

}  // namespace slipway::cli
