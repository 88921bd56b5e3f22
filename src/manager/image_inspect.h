// Images as docker describes them: `image inspect` and `history`.
#pragma once

#include <string>
#include <vector>

#include "src/base/value.h"
#include "src/manager/layer_import.h"

namespace slipway::manager {

Result<Value> inspect_image(Stores stores, const store::Image& image);

/// One step of an image's history.
struct HistoryRow {
  std::string id;       // "sha256:...", or "<missing>": the image of this step is not here
  int64_t created = 0;  // seconds since the epoch
  std::string created_by, comment;
  int64_t size = 0;
  std::vector<std::string> tags;
};
/// The newest first.
Result<std::vector<HistoryRow>> image_history(const store::ImageStore& images, const store::Image& image);

}  // namespace slipway::manager
