// `wait`: until containers have ended; prints their exit codes.
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/lifecycle.h"
#include "src/store/containers.h"

namespace slipway::cli {

namespace {

Result<int> run(const Call& call) {
  const auto store = TRY(open_store(call));
  return for_each_argument(call, [&](std::string_view name) -> Status {
    const std::string id = TRY(store::Containers(*store).find(name));
    const std::optional<int> code = TRY(manager::wait_container(*store, id, -1));
    return print(std::to_string(*code) + "\n");
  });
}

constexpr Verb kVerb = {
    "wait", "CONTAINER...", "Wait until containers stop, and print their exit codes", {}, 1, kNoLimit, false,
    run,    "wait web"};

}  // namespace

const Verb kWait = kVerb;
const Verb kContainerWait = as("container wait", kVerb);

}  // namespace slipway::cli
