// `kill`: a signal for the container's program.
#include "oci/names.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/lifecycle.h"
#include "src/store/containers.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("signal", 's', "SIGNAL", "the signal (default KILL)"),
});

Result<int> run(const Call& call) {
  const char* name = call.args.value("signal", "KILL");
  auto signal = oci::parse_signal(name);
  if (!signal.ok() || *signal < 1) return Error::of(ErrorKind::invalid, "Invalid signal: %s", name);
  const auto store = TRY(open_store(call));
  return for_each_argument(call, [&](std::string_view container) -> Status {
    const std::string where = "Cannot kill container: " + std::string(container);
    const std::string id = TRY(store::Containers(*store).find(container).ctx("%s", where.c_str()));
    TRY(manager::kill_container(*store, id, *signal).ctx("%s", where.c_str()));
    return print(std::string(container) + "\n");
  });
}

constexpr Verb kVerb = {
    "kill", "CONTAINER...",   "Send a signal to running containers", kOptions, 1, kNoLimit, false,
    run,    "kill -s HUP web"};

}  // namespace

const Verb kKill = kVerb;
const Verb kContainerKill = as("container kill", kVerb);

}  // namespace slipway::cli
