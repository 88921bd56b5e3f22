// Making an image of layers that are in the store.
#pragma once

#include <string>
#include <vector>

#include "src/manager/layer_import.h"

namespace slipway::manager {

struct NewImage {
  std::string config;    // the text; its digest becomes the image's ID
  std::string manifest;  // the text as it came; "": one is written
  std::string manifest_type;
  std::vector<ImportedLayer> layers;  // from the lowest up, as rootfs.diff_ids has them
  std::string parent;                 // ID of the image that it was made from here, or ""
};

/// Publishes the image and gives it the names, each with a tag or a digest. Returns its ID. An image that is
/// there already only gets the names. Errors: in_use when one of the layers was removed at this moment.
Result<std::string> publish_image(Stores stores, const NewImage& image,
                                  const std::vector<oci::Reference>& names);

}  // namespace slipway::manager
