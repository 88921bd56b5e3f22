// `system prune`: whatever nobody uses is removed.
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
             flag("volumes", 0, "remove anonymous volumes that no container uses, too"),
         }));

std::string warning(bool all, bool volumes) {
  std::string text =
      "WARNING! This will remove:\n  - all stopped containers\n"
      "  - all networks not used by at least one container\n";
  if (volumes) text += "  - all anonymous volumes not used by at least one container\n";
  text += all ? "  - all images without at least one container associated to them\n"
              : "  - all dangling images\n";
  return text;
}

Result<int> run(const Call& call) {
  const PruneFilters filters = TRY(PruneFilters::read(call));
  const bool volumes = call.args.flag("volumes");
  if (volumes && filters.filters().has("until"))
    return Error::of(ErrorKind::invalid, "The \"until\" filter is not supported with \"--volumes\"");
  manager::PruneOptions options;
  options.all = call.args.flag("all");
  if (!call.args.flag("force") && !TRY(confirm(warning(options.all, volumes)))) {
    TRY(print_reclaimed("", 0));
    return 0;
  }
  ImageSession session = TRY(open_images(call));
  const manager::Stores stores = TRY(session.with_driver());
  std::string text;
  int64_t bytes = TRY(prune_containers(*session.store, filters, &text));
  options.wanted = filters.for_images(stores.images.content, call.arena);
  TRY(prune_networks(*session.store, filters, &text));
  if (volumes) bytes += TRY(prune_volumes(*session.store, filters, false, &text));
  const manager::Pruned pruned = TRY(manager::prune_images(stores, *session.store, options));
  if (!pruned.removed.empty()) text += "Deleted Images:\n";
  for (const manager::Removed& done : pruned.removed)
    text += (done.kind == manager::Removed::Kind::untagged ? "untagged: " : "deleted: ") + done.what + "\n";
  if (!pruned.removed.empty()) text += "\n";
  bytes += pruned.reclaimed;
  TRY(print_reclaimed(text, bytes));
  return 0;
}

}  // namespace

const Verb kSystemPrune = {"system prune", "",  "Remove what nobody uses",  kOptions, 0, 0,
                           false,          run, "system prune -a --volumes"};

}  // namespace slipway::cli
