// The rooms of a store that images live in, together.
#pragma once

#include <map>
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

/// Writes content/index.json anew from the records of the images and their names. Other tools read it, slipway does not.
Status refresh_index(const ImageStore& store);

/// The same after an image was added, or was given these names: what this costs depends on the other images only by
/// the length of the file.
Status add_to_index(const ImageStore& store, std::string_view id, const std::vector<oci::Reference>& names);
/// The same after names and images (by id, with their manifests) were removed.
Status remove_from_index(const ImageStore& store, const std::vector<oci::Reference>& names,
                         const std::map<std::string, Digest>& images);

}  // namespace slipway::store
