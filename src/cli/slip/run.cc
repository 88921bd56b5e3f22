// slip run: create and start in one; in the foreground, wait and delete, too.
#include "src/cli/slip/bundle.h"
#include "src/cli/slip/globals.h"
#include "src/cli/slip/notify.h"
#include "src/cli/slip/verbs.h"
#include "src/sys/self_exe.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions =
    join(kCreateOptions, std::to_array<Option>({
                             flag("detach", 'd', "leave the container running and return"),
                             flag("keep", 0, "do not delete the container when it ends"),
                             flag("no-subreaper", 0, "do not reap orphans of the container"),
                         }));

Result<std::optional<NotifySocket>> listen_for_ready(const Call& call, const Globals& globals,
                                                     const Bundle& bundle) {
  std::optional<NotifySocket> notify =
      TRY(NotifySocket::prepare(globals.context, call.args[0], *bundle.spec, call.arena));
  if (notify) TRY(notify->bind());
  return notify;
}

Result<runtime::Created> create(const Call& call, const Globals& globals, const Bundle& bundle,
                                const runtime::CreateOptions& options) {
  Result<runtime::Created> created =
      runtime::create(globals.context, call.args[0], *bundle.spec, bundle.text, options);
  if (!created.ok()) forget_notify_socket(globals.context, call.args[0], created.error());
  return created;
}

Result<int> run_detached(const Call& call, const Globals& globals, const Bundle& bundle) {
  runtime::CreateOptions options = TRY(read_create_options(call, bundle, true));
  options.start = true;
  std::optional<NotifySocket> notify = TRY(listen_for_ready(call, globals, bundle));
  const runtime::Created init = TRY(create(call, globals, bundle, options));
  tell_warnings(call, bundle.warnings);
  if (notify) notify->relay(init.pid, init.pidfd.get());
  return 0;
}

Result<int> run_in_foreground(const Call& call, const Globals& globals, const Bundle& bundle) {
  const bool keep = call.args.flag("keep");
  runtime::CreateOptions options = TRY(read_create_options(call, bundle, false));
  options.start = true;
  options.foreground_owner = !keep;
  runtime::Foreground foreground = TRY(runtime::Foreground::begin(!call.args.flag("no-subreaper")));
  std::optional<NotifySocket> notify = TRY(listen_for_ready(call, globals, bundle));
  runtime::Created init = TRY(create(call, globals, bundle, options));
  tell_warnings(call, bundle.warnings);
  if (notify) notify->relay_beside(init.pid, init.pidfd.get());
  Result<int> code = foreground.wait(init);
  if (!keep) {
    TRY(runtime::delete_own(globals.context, call.args[0], init));
    NotifySocket::remove(globals.context, call.args[0]);
  }
  return code;
}

Result<int> run(const Call& call) {
  TRY(sys::protect_self(call.argv, call.envp));
  const Globals globals = TRY(read_globals(call));
  TRY(keep_default_root(globals));
  TRY(runtime::check_id(call.args[0]));
  const Bundle bundle = TRY(read_bundle(call));
  return call.args.flag("detach") ? run_detached(call, globals, bundle)
                                  : run_in_foreground(call, globals, bundle);
}

}  // namespace

const Verb kRunVerb = {
    .name = "run",
    .arguments = "ID",
    .summary = "Create and start a container",
    .options = kOptions,
    .min_args = 1,
    .max_args = 1,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
