// `load`: images from archives of all tools and ages: docker-archive (Docker 1.10 and later, Podman, skopeo),
// the layout of Docker before 1.10, oci-archive and OCI image directories, and archives that are several of
// these at once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "src/manager/image_files.h"
#include "src/manager/layer_import.h"

namespace slipway::manager {

struct LoadedImage {
  std::string id;  // 64 hex digits
  std::vector<oci::Reference> names;
  /// Names that another image had, and that image's ID.
  std::vector<std::pair<oci::Reference, std::string>> taken;
};

/// `progress` is told of each layer that is unpacked: its number, from 1, and how many there are.
using LoadProgress = std::function<void(const Digest& layer, size_t number, size_t count)>;

/// Images that are complete stay when a later one fails.
Result<std::vector<LoadedImage>> load_images(Stores stores, ImageFiles& files, const LoadProgress& progress);

}  // namespace slipway::manager
