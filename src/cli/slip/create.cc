// slip create: a container whose init waits for `start`.
#include "src/cli/slip/bundle.h"
#include "src/cli/slip/globals.h"
#include "src/cli/slip/notify.h"
#include "src/cli/slip/verbs.h"
#include "src/sys/self_exe.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = join(kCreateOptions, std::to_array<Option>({
                                                   ignored_flag("no-subreaper", "for callers of crun"),
                                               }));

Result<int> run(const Call& call) {
  TRY(sys::protect_self(call.argv, call.envp));
  const Globals globals = TRY(read_globals(call));
  TRY(keep_default_root(globals));
  const char* id = call.args[0];
  TRY(runtime::check_id(id));
  const Bundle bundle = TRY(read_bundle(call));
  const runtime::CreateOptions options = TRY(read_create_options(call, bundle, true));
  TRY(NotifySocket::prepare(globals.context, id, *bundle.spec, call.arena));
  Result<runtime::Created> created = runtime::create(globals.context, id, *bundle.spec, bundle.text, options);
  if (!created.ok()) {
    forget_notify_socket(globals.context, id, created.error());
    return std::move(created).error();
  }
  tell_warnings(call, bundle.warnings);
  return 0;
}

}  // namespace

const Verb kCreateVerb = {
    .name = "create",
    .arguments = "ID",
    .summary = "Create a container; `start` lets it run",
    .options = kOptions,
    .min_args = 1,
    .max_args = 1,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
