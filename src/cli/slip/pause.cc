// slip pause and resume: stops all processes of a container where they are, and lets them go on.
#include "src/cli/slip/globals.h"
#include "src/cli/slip/verbs.h"

namespace slipway::cli {

namespace {

template <Status (*kAct)(const runtime::Context&, std::string_view)>
Result<int> run(const Call& call) {
  const Globals globals = TRY(read_globals(call));
  TRY(kAct(globals.context, call.args[0]));
  return 0;
}

constexpr Verb verb(const char* name, const char* summary, Result<int> (*run)(const Call&)) {
  return {
      .name = name,
      .arguments = "ID",
      .summary = summary,
      .options = {},
      .min_args = 1,
      .max_args = 1,
      .in_order = false,
      .run = run,
  };
}

}  // namespace

const Verb kPauseVerb = verb("pause", "Suspend all processes of a container", run<runtime::pause>);
const Verb kResumeVerb = verb("resume", "Resume all processes of a paused container", run<runtime::resume>);

}  // namespace slipway::cli
