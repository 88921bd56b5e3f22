// slip kill: a signal for a container's init, or for all of its processes.
#include "oci/names.h"
#include "src/cli/slip/globals.h"
#include "src/cli/slip/selection.h"
#include "src/cli/slip/verbs.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("all", 'a', "signal all processes of the container"),
    flag("regex", 'r', "ID is a regular expression: signal all containers that match"),
});

Result<int> run(const Call& call) {
  const Globals globals = TRY(read_globals(call));
  const char* id = call.args[0];
  const int signal = TRY(oci::parse_signal(call.args.size() > 1 ? call.args[1] : "TERM"));
  const bool all = call.args.flag("all");
  if (!call.args.flag("regex")) {
    TRY(runtime::kill(globals.context, id, signal, all));
    return 0;
  }
  for (const std::string& match : TRY(matching_ids(globals.context, id)))
    TRY(runtime::kill(globals.context, match, signal, all).ctx("%s", match.c_str()));
  return 0;
}

}  // namespace

const Verb kKillVerb = {
    .name = "kill",
    .arguments = "ID [SIGNAL]",
    .summary = "Send a signal to a container (default: TERM)",
    .options = kOptions,
    .min_args = 1,
    .max_args = 2,
    .in_order = true,
    .run = run,
};

}  // namespace slipway::cli
