// Unpacking layers again from the content store: into a driver that lost them, or into another driver.
#pragma once

#include <string>
#include <vector>

#include "src/manager/layer_import.h"

namespace slipway::manager {

/// A layer as an image's config and manifest know it.
struct LayerSource {
  Digest chain, parent, diff_id, blob;
  std::string media_type;
};

/// The layers of an image from the lowest up. Errors: what its documents are (not_found, invalid).
Result<std::vector<LayerSource>> layer_sources(const store::ImageStore& images, const store::Image& image);

/// Makes the layer in the driver, unless it is there, and its record. Its parent must be there. The tar must have
/// the digest that it should have.
Status restore_layer(Stores stores, const LayerSource& layer);

}  // namespace slipway::manager
