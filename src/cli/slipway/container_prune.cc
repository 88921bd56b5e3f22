// `container prune`: all containers that do not run.
#include "src/cli/slipway/confirm.h"
#include "src/cli/slipway/prune.h"
#include "src/cli/slipway/verbs.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions =
    join(kPruneFilterOptions, std::to_array<Option>({flag("force", 'f', "do not ask")}));

Result<int> run(const Call& call) {
  const PruneFilters filters = TRY(PruneFilters::read(call));
  std::string text;
  int64_t bytes = 0;
  if (call.args.flag("force") || TRY(confirm("WARNING! This will remove all stopped containers."))) {
    const auto store = TRY(open_store(call));
    bytes = TRY(prune_containers(*store, filters, &text));
  }
  TRY(print_reclaimed(text, bytes));
  return 0;
}

}  // namespace

const Verb kContainerPrune = {"container prune",
                              "",
                              "Remove all containers that do not run",
                              kOptions,
                              0,
                              0,
                              false,
                              run,
                              "container prune --filter until=24h"};

}  // namespace slipway::cli
