// slip start: lets a created container run.
#include "src/cli/slip/globals.h"
#include "src/cli/slip/notify.h"
#include "src/cli/slip/verbs.h"
#include "src/sys/kernel.h"

namespace slipway::cli {

namespace {

Result<int> run(const Call& call) {
  const Globals globals = TRY(read_globals(call));
  std::optional<NotifySocket> notify = NotifySocket::find(globals.context, call.args[0]);
  if (!notify) {
    TRY(runtime::start(globals.context, call.args[0]));
    return 0;
  }
  const runtime::State state = TRY(runtime::load_state(globals.context, call.args[0]));
  const Fd init(sys::pidfd_open(state.pid));
  TRY(notify->bind());
  TRY(runtime::start(globals.context, call.args[0]));
  if (init) notify->relay(state.pid, init.get());
  return 0;
}

}  // namespace

const Verb kStartVerb = {
    .name = "start",
    .arguments = "ID",
    .summary = "Start a created container",
    .options = {},
    .min_args = 1,
    .max_args = 1,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
