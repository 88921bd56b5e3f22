// `diff`: what a container has changed against its image.
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/changes.h"
#include "src/store/containers.h"

namespace slipway::cli {

namespace {

Result<int> run(const Call& call) {
  const auto store = TRY(open_store(call));
  store::Containers containers(*store);
  const std::string id = TRY(containers.find(call.args[0]));
  const store::Record* record = TRY(containers.load(id, call.arena));
  std::string text;
  for (const drivers::Change& change : TRY(manager::container_changes(*store, *record))) {
    const char letter = change.kind == drivers::ChangeKind::added     ? 'A'
                        : change.kind == drivers::ChangeKind::deleted ? 'D'
                                                                      : 'C';
    if (change.path == "/") continue;
    text.append(1, letter).append(" ").append(change.path).append("\n");
  }
  TRY(print(text));
  return 0;
}

constexpr Verb kVerb = {"diff", "CONTAINER", "Show what a container has changed", {}, 1, 1, false,
                        run,    "diff web"};

}  // namespace

const Verb kDiff = kVerb;
const Verb kContainerDiff = as("container diff", kVerb);

}  // namespace slipway::cli
