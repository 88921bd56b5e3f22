// slip state: what is known of a container.
#include "src/cli/slip/globals.h"
#include "src/cli/slip/state_json.h"
#include "src/cli/slip/verbs.h"

namespace slipway::cli {

namespace {

Result<int> run(const Call& call) {
  const Globals globals = TRY(read_globals(call));
  const runtime::State state = TRY(runtime::load_state(globals.context, call.args[0]));
  json::Writer out(json::Writer::Style::indented);
  write_state(out, state);
  TRY(print(out.text()));
  return 0;
}

}  // namespace

const Verb kStateVerb = {
    .name = "state",
    .arguments = "ID",
    .summary = "Print the state of a container",
    .options = {},
    .min_args = 1,
    .max_args = 1,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
