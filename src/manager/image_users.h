// The containers that images and layers are kept for.
#pragma once

#include <string>
#include <vector>

#include "src/store/store.h"

namespace slipway::manager {

struct ImageUser {
  std::string container;  // ID
  std::string image;      // 64 hex digits
  std::string layer;      // chain ID of the image's uppermost layer, or ""
  bool running = false;   // or paused, or about to be restarted
};

Result<std::vector<ImageUser>> image_users(store::Store& store);

}  // namespace slipway::manager
