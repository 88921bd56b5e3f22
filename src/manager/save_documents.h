// The JSON documents of saved images.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "src/manager/image_save.h"

namespace slipway::manager {

struct SavedLayer {
  Digest blob, chain;
  int64_t tar_size = 0;
};

/// All that is written of an image, read before anything is.
struct SavedImageData {
  Digest config, manifest;
  std::string config_text, manifest_type;
  uint64_t manifest_size = 0;
  std::vector<SavedLayer> layers;
  std::vector<oci::Reference> names;
};
Result<std::vector<SavedImageData>> read_saved(const store::ImageStore& images,
                                               const std::vector<SavedName>& saved);

std::string index_document(const std::vector<SavedImageData>& images);

/// Where a document names the config and the layers of an image.
struct SavedPaths {
  std::string config;
  std::vector<std::string> layers;
};
SavedPaths layout_paths(const SavedImageData& image);
SavedPaths legacy_paths(const SavedImageData& image);
std::string manifest_document(const std::vector<SavedImageData>& images,
                              const std::function<SavedPaths(const SavedImageData&)>& paths);
/// "" when no image has a name.
std::string repositories_document(const std::vector<SavedImageData>& images,
                                  const std::function<std::string(const SavedImageData&)>& top);

/// A layer as Docker before 1.10 knew it.
struct LegacyLayer {
  std::string id;
  std::string json;
  const SavedLayer* layer;
};
std::vector<LegacyLayer> legacy_layers(const SavedImageData& image);

}  // namespace slipway::manager
