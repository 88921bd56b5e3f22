#include "src/manager/spec.h"

#include <string>

#include "src/manager/capabilities.h"
#include "src/manager/create.h"

namespace slipway::manager {

namespace {

constexpr char kPath[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

List<Str> environment(const SpecInputs& in) {
  const store::ContainerConfig& config = in.record.config;
  ListBuilder<Str> base(in.arena);
  base.add(kPath);
  if (!config.hostname.empty()) base.add(in.arena.format("HOSTNAME=%s", config.hostname.c_str()));
  if (config.tty) base.add("TERM=xterm");
  List<Str> merged = merge_environment(base.list(), config.env, in.arena);
  for (const Str item : merged)
    if (item.view().starts_with("HOME=")) return merged;
  ListBuilder<Str> all(in.arena);
  for (const Str item : merged) all.add(item);
  all.add(in.arena.format("HOME=%s", in.home.empty() ? "/" : in.home.c_str()));
  return all.list();
}

List<Str> command_line(const SpecInputs& in) {
  ListBuilder<Str> args(in.arena);
  if (!in.init_path.empty()) {
    args.add("/sbin/docker-init");
    args.add("--");
  }
  args.add(in.record.path);
  for (const Str arg : in.record.args) args.add(arg);
  return args.list();
}

Result<oci::Capabilities*> capabilities(const SpecInputs& in) {
  auto* caps = in.arena.make<oci::Capabilities>();
  caps->bounding = TRY(effective_capabilities(in.record.host, in.arena));
  // What execve would do for other users anyway.
  if (in.user.uid == 0) caps->effective = caps->permitted = caps->bounding;
  return caps;
}

List<oci::Rlimit> rlimits(const SpecInputs& in) {
  const List<store::Ulimit>& ulimits = in.record.host.ulimits;
  List<oci::Rlimit> limits = in.arena.list<oci::Rlimit>(ulimits.count);
  for (size_t i = 0; i < ulimits.count; ++i) {
    std::string name = "RLIMIT_";
    for (const char c : ulimits[i].name.view()) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    limits[i].type = in.arena.copy(name);
    limits[i].soft = static_cast<uint64_t>(ulimits[i].soft);  // -1 is the kernel's infinity
    limits[i].hard = static_cast<uint64_t>(ulimits[i].hard);
  }
  return limits;
}

void apply_security_options(const store::HostConfig& host, oci::Process& process, Arena& arena) {
  for (const Str option : host.security_opt) {
    const std::string_view text = option;
    if (text == "no-new-privileges" || text == "no-new-privileges=true" || text == "no-new-privileges:true")
      process.no_new_privileges = true;
    for (const std::string_view prefix : {"apparmor=", "apparmor:"})
      if (text.starts_with(prefix) && text != "apparmor=unconfined" && text != "apparmor:unconfined")
        process.apparmor_profile = arena.copy(text.substr(prefix.size()));
  }
}

Result<oci::Process*> process(const SpecInputs& in) {
  auto* process = in.arena.make<oci::Process>();
  process->terminal = in.record.config.tty;
  process->user = in.user;
  process->args = command_line(in);
  process->env = environment(in);
  process->cwd = in.record.config.working_dir.empty() ? Str("/") : in.record.config.working_dir;
  process->capabilities = TRY(capabilities(in));
  process->rlimits = rlimits(in);
  if (in.record.host.oom_score_adj) process->oom_score_adj = in.record.host.oom_score_adj;
  apply_security_options(in.record.host, *process, in.arena);
  return process;
}

}  // namespace

Result<oci::Spec*> build_spec(const SpecInputs& in) {
  auto* spec = in.arena.make<oci::Spec>();
  spec->oci_version = oci::kRuntimeSpecVersion;
  spec->process = TRY(process(in));
  spec->root = in.arena.make<oci::Root>();
  spec->root->path = "rootfs";
  spec->root->readonly = in.record.host.readonly_rootfs;
  const Str uts = in.record.host.uts_mode;
  if (uts.empty() || uts == "private") {
    spec->hostname = in.record.config.hostname;
    spec->domainname = in.record.config.domainname;
  }
  spec->annotations = in.record.host.annotations;
  spec->linux_ = TRY(spec_linux(in));
  spec->mounts = TRY(spec_mounts(in, has_cgroup_namespace(in.record.host)));
  return spec;
}

}  // namespace slipway::manager
