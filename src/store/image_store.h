// The rooms of a store that images live in, together.
#pragma once

#include <memory>
#include <string>

#include "oci/content_store.h"
#include "src/store/images.h"
#include "src/store/layers.h"
#include "src/store/root.h"

namespace slipway::store {

struct ImageStore {
  Root root;
  oci::ContentStore content;
  Layers layers;
  Images images;

  static Result<ImageStore> open(const std::string& root_path);
};

/// Writes content/index.json anew from the records of the images and their names. To be called after names or
/// images changed; other tools read it, slipway does not.
Status refresh_index(const ImageStore& store);

}  // namespace slipway::store
