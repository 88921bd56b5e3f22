// `rename`: a container's name, while it runs or not.
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/events.h"
#include "src/store/containers.h"

namespace slipway::cli {

namespace {

Result<int> run(const Call& call) {
  const auto store = TRY(open_store(call));
  store::Containers containers(*store);
  const std::string id = TRY(containers.find(call.args[0]));
  const Fd lock = TRY(containers.lock(id));
  const store::Record* old = TRY(containers.load(id, call.arena));
  TRY(containers.rename(id, lock.get(), call.args[1]));
  const store::Record* renamed = TRY(containers.load(id, call.arena));
  manager::container_event(*store, "rename", *renamed, {{"oldName", "/" + std::string(old->name.view())}});
  return 0;
}

constexpr Verb kVerb = {"rename", "CONTAINER NAME", "Give a container another name", {}, 2, 2, false,
                        run,      "rename web shop"};

}  // namespace

const Verb kRename = kVerb;
const Verb kContainerRename = as("container rename", kVerb);

}  // namespace slipway::cli
