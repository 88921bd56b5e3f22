// Taking names off images and removing images, with the layers and blobs that nobody else needs. Docker's
// rules (storage.md 3.3): what children or running containers need is never removed; what is named several
// times, or what stopped containers use, only by force.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "src/manager/image_users.h"
#include "src/manager/layer_import.h"

namespace slipway::manager {

struct RemoveOptions {
  bool force = false;
  bool prune_parents = true;  // nameless parents that nobody needs any more go too
};

/// What was done, in order.
struct Removed {
  enum class Kind : uint8_t { untagged, deleted };
  Kind kind;
  std::string what;  // a familiar reference, or "sha256:..." of an image or a layer
};

/// `text` as people write it. Errors: not_found, in_use ("conflict: unable to ...").
Result<std::vector<Removed>> remove_image(Stores stores, store::Store& store, std::string_view text,
                                          const RemoveOptions& options);

/// Removes the images that have no name (with `all`: those that no container uses) and that `wanted` accepts.
struct Pruned {
  std::vector<Removed> removed;
  int64_t reclaimed = 0;  // bytes of files and blobs
};
struct PruneOptions {
  bool all = false;
  std::function<Result<bool>(const store::Image&)> wanted;  // unset: all of them
};
Result<Pruned> prune_images(Stores stores, store::Store& store, const PruneOptions& options);

}  // namespace slipway::manager
