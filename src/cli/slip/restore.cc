// slip restore: a container out of the files of a checkpoint, by criu.
#include "src/cli/slip/bundle.h"
#include "src/cli/slip/criu_options.h"
#include "src/cli/slip/globals.h"
#include "src/cli/slip/notify.h"
#include "src/cli/slip/verbs.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions =
    join(kCriuOptions,
         std::to_array<Option>({
             value("bundle", 'b', "DIR", "the bundle's directory (default: the current one)"),
             value("config", 'f', "FILE", "the configuration, seen from the bundle (default: config.json)"),
             value("console-socket", 0, "SOCKET", "the AF_UNIX socket that gets the terminal's master"),
             value("pid-file", 0, "FILE", "write the process ID to this file"),
             flag("detach", 'd', "leave the container running and return"),
             flag("keep", 0, "do not delete the container when it ends"),
             flag("no-subreaper", 0, "do not reap orphans of the container"),
             flag("no-pivot", 0, "accepted with a warning: criu enters the root by pivot_root"),
             flag("no-new-keyring", 0, "keep the caller's session keyring"),
             value("lsm-profile", 0, "TYPE:NAME",
                   "another profile for the processes: apparmor:NAME, selinux:LABEL"),
             value("lsm-mount-context", 0, "LABEL", "another SELinux context for mounts that have one"),
         }));

Result<runtime::RestoreOptions> read_options(const Call& call, const Bundle& bundle) {
  runtime::RestoreOptions out;
  const Arguments& args = call.args;
  TRY(read_criu_options(call, out.criu));
  out.bundle = bundle.path;
  out.detached = args.flag("detach");
  out.foreground_owner = !out.detached && !args.flag("keep");
  out.console_socket = args.value("console-socket", "");
  out.pid_file = args.value("pid-file", "");
  out.no_new_keyring = args.flag("no-new-keyring");
  out.lsm_profile = args.value("lsm-profile", "");
  out.lsm_mount_context = args.value("lsm-mount-context", "");
  return out;
}

void warn(const Call& call, const Bundle& bundle) {
  tell_warnings(call, bundle.warnings);
  if (call.args.flag("no-pivot"))
    call.log.warn(std::string(call.program.name) + " " + call.verb.name,
                  "--no-pivot: criu enters the root by pivot_root in any case");
}

/// For a container that was created with NOTIFY_SOCKET: its directory is there again, though nobody listens.
Result<runtime::Created> restore(const Call& call, const Globals& globals, const Bundle& bundle,
                                 const runtime::RestoreOptions& options) {
  TRY(NotifySocket::prepare(globals.context, call.args[0], *bundle.spec, call.arena));
  Result<runtime::Created> restored =
      runtime::restore(globals.context, call.args[0], *bundle.spec, bundle.text, options);
  if (!restored.ok()) forget_notify_socket(globals.context, call.args[0], restored.error());
  return restored;
}

Result<int> run(const Call& call) {
  const Globals globals = TRY(read_globals(call));
  TRY(keep_default_root(globals));
  TRY(runtime::check_id(call.args[0]));
  const Bundle bundle = TRY(read_bundle(call));
  const runtime::RestoreOptions options = TRY(read_options(call, bundle));
  if (options.detached) {
    TRY(restore(call, globals, bundle, options));
    warn(call, bundle);
    return 0;
  }
  runtime::Foreground foreground = TRY(runtime::Foreground::begin(!call.args.flag("no-subreaper")));
  runtime::Created init = TRY(restore(call, globals, bundle, options));
  warn(call, bundle);
  Result<int> code = foreground.wait(init);
  if (options.foreground_owner) {
    TRY(runtime::delete_container(globals.context, call.args[0], true));
    NotifySocket::remove(globals.context, call.args[0]);
  }
  return code;
}

}  // namespace

const Verb kRestoreVerb = {
    .name = "restore",
    .arguments = "ID",
    .summary = "Make a container out of the files of a checkpoint",
    .options = kOptions,
    .min_args = 1,
    .max_args = 1,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
