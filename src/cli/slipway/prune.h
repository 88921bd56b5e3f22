// What the prune verbs share: their filters, and the removal of containers, volumes and networks.
#pragma once

#include "src/cli/slipway/format.h"
#include "src/cli/slipway/session.h"
#include "src/manager/image_remove.h"
#include "src/store/record.h"

namespace slipway::cli {

inline constexpr auto kPruneFilterOptions = std::to_array<Option>({
    list("filter", 0, "KEY=VALUE", "until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE]"),
});

/// --filter: what was made before `until`, and has the labels.
class PruneFilters {
 public:
  /// Images may be asked for as dangling or not; volumes with or without a name, and have no `until`.
  enum class Kind : uint8_t { others, images, volumes };
  static Result<PruneFilters> read(const Call& call, Kind kind = Kind::others);

  bool fit(int64_t created_seconds, const Map<Str>& labels) const;
  /// For PruneOptions::wanted; borrows all of its arguments.
  std::function<Result<bool>(const store::Image&)> for_images(const oci::ContentStore& content,
                                                              Arena& arena) const;
  const Filters& filters() const { return filters_; }

 private:
  Filters filters_;
  int64_t until_ = INT64_MAX;  // seconds
};

/// Removes the containers that do not run; "Deleted Containers:" and their IDs, or nothing, is appended to the text.
/// How many bytes they had written.
Result<int64_t> prune_containers(store::Store& store, const PruneFilters& filters, std::string* text);
/// The same of volumes that no container uses: the anonymous ones, or all.
Result<int64_t> prune_volumes(store::Store& store, const PruneFilters& filters, bool all, std::string* text);
/// The same of networks that no container names (network.cc). They take no space.
Status prune_networks(store::Store& store, const PruneFilters& filters, std::string* text);

/// What was removed, and the last line of every prune; also of one that was not confirmed.
Status print_reclaimed(const std::string& removed, int64_t bytes);

}  // namespace slipway::cli
