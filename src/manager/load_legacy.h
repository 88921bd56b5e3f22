// Archives of Docker before 1.10: a directory per layer with its own json and layer.tar, and `repositories`.
#pragma once

#include <string>
#include <vector>

#include "oci/reference.h"
#include "src/manager/image_files.h"

namespace slipway::manager {

struct LegacyImage {
  std::string config;               // made of the json of its layers
  std::vector<std::string> layers;  // files, from the lowest up
  std::vector<oci::Reference> names;
};

/// `repositories` is the text of that file; "" when there is none: then the layers that are nobody's parent are
/// images without a name. Reads the layers' tars once, for their digests.
Result<std::vector<LegacyImage>> read_legacy_images(ImageFiles& files, const std::string& repositories);

}  // namespace slipway::manager
