// slip resume: lets a paused container go on.
#include "src/cli/slip/globals.h"
#include "src/cli/slip/verbs.h"

namespace slipway::cli {

namespace {

Result<int> run(const Call& call) {
  const Globals globals = TRY(read_globals(call));
  TRY(runtime::resume(globals.context, call.args[0]));
  return 0;
}

}  // namespace

const Verb kResumeVerb = {
    .name = "resume",
    .arguments = "ID",
    .summary = "Resume all processes of a paused container",
    .options = {},
    .min_args = 1,
    .max_args = 1,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
