// `pause` and `unpause`: the cgroup freezer.
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/lifecycle.h"
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

constexpr Verb kPauseVerb = {"pause",  "CONTAINER...", "Freeze all processes of containers", {},         1,
                             kNoLimit, false,          run<manager::pause_container>,        "pause web"};
constexpr Verb kUnpauseVerb = {"unpause", "CONTAINER...", "Let frozen containers go on",   {},           1,
                               kNoLimit,  false,          run<manager::unpause_container>, "unpause web"};

}  // namespace

const Verb kPause = kPauseVerb;
const Verb kContainerPause = as("container pause", kPauseVerb);
const Verb kUnpause = kUnpauseVerb;
const Verb kContainerUnpause = as("container unpause", kUnpauseVerb);

}  // namespace slipway::cli
