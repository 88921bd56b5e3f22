// `system prune`: whatever nobody uses is removed.
#include "src/cli/slipway/confirm.h"
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/exit.h"
#include "src/manager/image_remove.h"
#include "src/manager/leftovers.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"
#include "src/store/volumes.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("all", 'a', "remove all images that no container uses, not just those without a name"),
    flag("force", 'f', "do not ask"),
    flag("volumes", 0, "remove anonymous volumes that no container uses, too"),
});

/// Appends the IDs, and returns the bytes.
Result<int64_t> prune_containers(store::Store& store, drivers::Driver& driver, Arena& arena,
                                 std::string* text) {
  store::Containers containers(store);
  TRY(manager::collect_leftovers(store));
  int64_t bytes = 0;
  std::string removed;
  for (const std::string& id : TRY(containers.list())) {
    Result<manager::Observed> now = manager::observe(store, id, arena);
    if (!now.ok() || now->is_running() || now->status == store::ContainerStatus::restarting) continue;
    Result<drivers::Usage> usage = driver.usage(id);
    if (!manager::remove_container(store, id, false).ok()) continue;
    if (usage.ok()) bytes += static_cast<int64_t>(usage->bytes);
    removed += id + "\n";
  }
  if (!removed.empty()) *text += "Deleted Containers:\n" + removed + "\n";
  return bytes;
}

Status prune_volumes(store::Store& store, Arena& arena, std::string* text) {
  store::Volumes volumes(store);
  std::string removed;
  for (const std::string& name : TRY(volumes.list())) {
    Result<store::Volume*> volume = volumes.load(name, arena);
    if (volume.ok() && (*volume)->anonymous && volumes.remove(name).ok()) removed += name + "\n";
  }
  if (!removed.empty()) *text += "Deleted Volumes:\n" + removed + "\n";
  return {};
}

std::string warning(bool all, bool volumes) {
  std::string text = "WARNING! This will remove:\n  - all stopped containers\n";
  if (volumes) text += "  - all anonymous volumes not used by at least one container\n";
  text += all ? "  - all images without at least one container associated to them\n"
              : "  - all dangling images\n";
  return text;
}

Result<int> run(const Call& call) {
  const bool volumes = call.args.flag("volumes");
  manager::PruneOptions options;
  options.all = call.args.flag("all");
  if (!call.args.flag("force") && !TRY(confirm(warning(options.all, volumes)))) return 0;
  ImageSession session = TRY(open_images(call));
  const manager::Stores stores = TRY(session.with_driver());
  std::string text;
  int64_t bytes = TRY(prune_containers(*session.store, stores.driver, call.arena, &text));
  if (volumes) TRY(prune_volumes(*session.store, call.arena, &text));
  const manager::Pruned pruned = TRY(manager::prune_images(stores, *session.store, options));
  if (!pruned.removed.empty()) text += "Deleted Images:\n";
  for (const manager::Removed& done : pruned.removed)
    text += (done.kind == manager::Removed::Kind::untagged ? "untagged: " : "deleted: ") + done.what + "\n";
  if (!pruned.removed.empty()) text += "\n";
  bytes += pruned.reclaimed;
  TRY(print(text + "Total reclaimed space: " + human_size(static_cast<double>(bytes)) + "\n"));
  return 0;
}

}  // namespace

const Verb kSystemPrune = {"system prune", "",  "Remove what nobody uses",  kOptions, 0, 0,
                           false,          run, "system prune -a --volumes"};

}  // namespace slipway::cli
