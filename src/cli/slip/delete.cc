// slip delete: removes what a container has left.
#include "src/cli/slip/globals.h"
#include "src/cli/slip/notify.h"
#include "src/cli/slip/selection.h"
#include "src/cli/slip/verbs.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("force", 'f', "kill a running container first; a missing one is no error"),
    flag("regex", 'r', "ID is a regular expression: delete all containers that match"),
});

Status remove(const runtime::Context& context, std::string_view id, bool force) {
  TRY(runtime::delete_container(context, id, force));
  NotifySocket::remove(context, id);
  return {};
}

Result<int> run(const Call& call) {
  const Globals globals = TRY(read_globals(call));
  const char* id = call.args[0];
  const bool force = call.args.flag("force");
  if (!call.args.flag("regex")) {
    TRY(remove(globals.context, id, force));
    return 0;
  }
  for (const std::string& match : TRY(matching_ids(globals.context, id)))
    TRY(remove(globals.context, match, force).ctx("%s", match.c_str()));
  return 0;
}

}  // namespace

const Verb kDeleteVerb = {
    .name = "delete",
    .arguments = "ID",
    .summary = "Delete a container that has stopped or was never started",
    .options = kOptions,
    .min_args = 1,
    .max_args = 1,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
