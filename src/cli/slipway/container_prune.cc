// `container prune`: all containers that do not run.
#include "src/cli/slipway/confirm.h"
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/exit.h"
#include "src/manager/leftovers.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"
#include "src/store/id.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("force", 'f', "do not ask"),
    list("filter", 0, "KEY=VALUE", "until, label"),
});
constexpr const char* kFilters[] = {"until", "label"};

Result<int> run(const Call& call) {
  const Filters filters = TRY(Filters::parse(call.args.values("filter", call.arena), kFilters));
  int64_t until = INT64_MAX;
  for (const std::string_view text : filters.values("until")) until = TRY(parse_moment(text));
  if (!call.args.flag("force") && !TRY(confirm("WARNING! This will remove all stopped containers.")))
    return 0;
  const auto store = TRY(open_store(call));
  store::Containers containers(*store);
  TRY(manager::collect_leftovers(*store));
  drivers::Driver* driver = TRY(store->driver());
  std::string removed;
  uint64_t bytes = 0;
  for (const std::string& id : TRY(containers.list())) {
    auto record = containers.load(id, call.arena);
    auto observed = manager::observe(*store, id, call.arena);
    if (!record.ok() || !observed.ok() || observed->is_running() ||
        observed->status == store::ContainerStatus::restarting)
      continue;
    auto created = store::parse_rfc3339((*record)->created);
    if (created.ok() && created->seconds * 1'000'000'000 + created->nanoseconds >= until) continue;
    if (!filters.labels((*record)->config.labels)) continue;
    auto usage = driver->usage(id);
    if (!manager::remove_container(*store, id, false).ok()) continue;
    if (usage.ok()) bytes += usage->bytes;
    removed.append(id).append("\n");
  }
  std::string text;
  if (!removed.empty()) text = "Deleted Containers:\n" + removed + "\n";
  TRY(print(text + "Total reclaimed space: " + human_size(static_cast<double>(bytes)) + "\n"));
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
