// `pause` and `unpause`: the cgroup freezer.
#include "src/manager/pause.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/store/containers.h"

namespace slipway::cli {

namespace {

template <Status (*act)(store::Store&, std::string_view)>
Result<int> run(const Call& call) {
  const auto store = TRY(open_store(call));
  return for_each_argument(call, [&](std::string_view name) -> Status {
    const std::string id = TRY(store::Containers(*store).find(name));
    TRY(act(*store, id));
    return print(std::string(name) + "\n");
  });
}

Status pause(store::Store& store, std::string_view id) {
  return manager::pause_container(store, id, manager::PauseUntil::unpaused);
}

constexpr Verb kPauseVerb = {
    "pause",    "CONTAINER...", "Freeze all processes of containers", {}, 1, kNoLimit, false,
    run<pause>, "pause web"};
constexpr Verb kUnpauseVerb = {"unpause", "CONTAINER...", "Let frozen containers go on",   {},           1,
                               kNoLimit,  false,          run<manager::unpause_container>, "unpause web"};

}  // namespace

const Verb kPause = kPauseVerb;
const Verb kContainerPause = as("container pause", kPauseVerb);
const Verb kUnpause = kUnpauseVerb;
const Verb kContainerUnpause = as("container unpause", kUnpauseVerb);

}  // namespace slipway::cli
