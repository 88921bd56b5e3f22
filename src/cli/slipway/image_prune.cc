// `image prune`: images that nobody uses are removed.
#include "src/cli/slipway/confirm.h"
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/prune.h"
#include "src/cli/slipway/verbs.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions =
    join(kPruneFilterOptions,
         std::to_array<Option>({
             flag("all", 'a', "remove all images that no container uses, not just those without a name"),
             flag("force", 'f', "do not ask"),
         }));

Result<int> run(const Call& call) {
  const PruneFilters filters = TRY(PruneFilters::read(call, PruneFilters::Kind::images));
  manager::PruneOptions options;
  options.all = call.args.flag("all");
  for (const std::string_view text : filters.filters().values("dangling"))
    options.all = !TRY(parse_bool(text));
  if (!call.args.flag("force") &&
      !TRY(confirm(options.all
                       ? "WARNING! This will remove all images without at least one container associated "
                         "to them."
                       : "WARNING! This will remove all dangling images."))) {
    TRY(print_reclaimed("", 0));
    return 0;
  }
  ImageSession session = TRY(open_images(call));
  const manager::Stores stores = TRY(session.with_driver());
  options.wanted = filters.for_images(stores.images.content, call.arena);
  const manager::Pruned pruned = TRY(manager::prune_images(stores, *session.store, options));
  std::string text = pruned.removed.empty() ? "" : "Deleted Images:\n";
  for (const manager::Removed& done : pruned.removed)
    text += (done.kind == manager::Removed::Kind::untagged ? "untagged: " : "deleted: ") + done.what + "\n";
  if (!text.empty()) text += "\n";
  TRY(print_reclaimed(text, pruned.reclaimed));
  return 0;
}

}  // namespace

const Verb kImagePrune = {"image prune", "",  "Remove images that nobody uses",   kOptions, 0, 0,
                          false,         run, "image prune -a --filter until=24h"};

}  // namespace slipway::cli
