#include "src/cli/slipway/prune.h"

#include "src/manager/disk_usage.h"
#include "src/manager/events.h"
#include "src/manager/exit.h"
#include "src/manager/leftovers.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/store/volumes.h"

namespace slipway::cli {

namespace {

constexpr const char* kFilters[] = {"until", "label", "label!"};
constexpr const char* kImageFilters[] = {"until", "label", "label!", "dangling"};
constexpr const char* kVolumeFilters[] = {"label", "label!", "all"};

std::span<const char* const> known_filters(PruneFilters::Kind kind) {
  if (kind == PruneFilters::Kind::images) return kImageFilters;
  if (kind == PruneFilters::Kind::volumes) return kVolumeFilters;
  return kFilters;
}

}  // namespace

Result<PruneFilters> PruneFilters::read(const Call& call, Kind kind) {
  PruneFilters out;
  out.filters_ = TRY(Filters::parse(call.args.values("filter", call.arena), known_filters(kind)));
  for (const std::string_view text : out.filters_.values("until"))
    out.until_ = std::min(out.until_, TRY(parse_moment(text)) / 1'000'000'000);
  return out;
}

bool PruneFilters::fit(int64_t created_seconds, const Map<Str>& labels) const {
  return created_seconds <= until_ && filters_.labels(labels) &&
         !(filters_.has("label!") && filters_.labels(labels, "label!"));
}

std::function<Result<bool>(const store::Image&)> PruneFilters::for_images(const oci::ContentStore& content,
                                                                          Arena& arena) const {
  return [this, &content, &arena](const store::Image& image) -> Result<bool> {
    if (!filters_.has("label") && !filters_.has("label!")) return fit(image.created, {});
    const oci::ImageConfig* config = TRY(store::read_config(content, image.id, arena));
    return fit(image.created, config->config.labels);
  };
}

Result<int64_t> prune_containers(store::Store& store, const PruneFilters& filters, std::string* text) {
  store::Containers containers(store);
  TRY(manager::collect_leftovers(store));
  drivers::Driver* driver = TRY(store.driver());
  std::string removed;
  int64_t bytes = 0;
  for (const std::string& id : TRY(containers.list())) {
    Arena arena;
    auto record = containers.load(id, arena);
    auto observed = manager::observe(store, id, arena);
    if (!record.ok() || !observed.ok() || observed->is_running() ||
        observed->status == store::ContainerStatus::restarting)
      continue;
    auto created = store::parse_rfc3339((*record)->created);
    if (!filters.fit(created.ok() ? created->seconds : 0, (*record)->config.labels)) continue;
    auto usage = driver->usage(id);
    if (!manager::remove_container(store, id, {}).ok()) continue;
    if (usage.ok()) bytes += static_cast<int64_t>(usage->bytes);
    removed.append(id).append("\n");
  }
  manager::prune_event(store, "container", bytes);
  if (!removed.empty()) text->append("Deleted Containers:\n").append(removed).append("\n");
  return bytes;
}

Result<int64_t> prune_volumes(store::Store& store, const PruneFilters& filters, bool all, std::string* text) {
  store::Volumes volumes(store);
  std::string removed;
  int64_t bytes = 0;
  for (const std::string& name : TRY(volumes.list())) {
    Arena arena;
    auto volume = volumes.load(name, arena);
    if (!volume.ok() || !((*volume)->anonymous || all) || !filters.fit(0, (*volume)->labels)) continue;
    const int64_t size = manager::bytes_below(volumes.data_path(name));
    if (!volumes.remove(name).ok()) continue;  // in use
    manager::object_event(store, "volume", "destroy", name, {{"driver", "local"}});
    removed.append(name).append("\n");
    bytes += size;
  }
  manager::prune_event(store, "volume", bytes);
  if (!removed.empty()) text->append("Deleted Volumes:\n").append(removed).append("\n");
  return bytes;
}

Status print_reclaimed(const std::string& removed, int64_t bytes) {
  return print(removed + "Total reclaimed space: " + exact_size(static_cast<double>(bytes)) + "\n");
}

}  // namespace slipway::cli
