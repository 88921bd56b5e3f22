// slip pause: stops all processes of a container where they are.
#include "src/cli/slip/globals.h"
#include "src/cli/slip/verbs.h"

namespace slipway::cli {

namespace {

Result<int> run(const Call& call) {
  const Globals globals = TRY(read_globals(call));
  TRY(runtime::pause(globals.context, call.args[0]));
  return 0;
}

}  // namespace

const Verb kPauseVerb = {
    .name = "pause",
    .arguments = "ID",
    .summary = "Suspend all processes of a container",
    .options = {},
    .min_args = 1,
    .max_args = 1,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
