// Which layers and blobs somebody needs, and removing those that nobody does.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "src/manager/image_users.h"
#include "src/manager/layer_import.h"

namespace slipway::manager {

/// What images and containers need.
struct Needed {
  std::set<std::string, std::less<>> layers;  // chain IDs, with those below them
  std::set<Digest> blobs;
};

/// Of all images but `except`, and of all containers. The caller holds `collect`.
Result<Needed> needed(const store::ImageStore& images, const std::vector<ImageUser>& users,
                      std::string_view except);

/// What the image itself has, uppermost layer first.
struct Belongings {
  std::vector<std::string> layers;
  std::vector<Digest> blobs;
};
Result<Belongings> belongings(const store::ImageStore& images, const store::Image& image);

/// Ends a removal: takes the trees of layers whose records are gone out of the driver. To be called without
/// `collect`, which nobody should wait for while files are deleted.
Status remove_trees(Stores stores, const std::vector<std::string>& layers);

/// The lock that orders a layer's record and its tree: held where both are made, and where the tree is removed.
Result<store::Lock> lock_layer(const store::Root& root, std::string_view chain);

}  // namespace slipway::manager
