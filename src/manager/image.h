// What running needs to know of an image.
#pragma once

#include <string_view>

#include "oci/image_config.h"
#include "src/store/store.h"

namespace slipway::manager {

struct FoundImage {
  Str id;   // 64 hex digits
  Str top;  // chain ID of the uppermost layer, "" for none
  const oci::ImageConfig* config = nullptr;
};

/// By whatever people write. Errors: not_found "No such image: X".
Result<FoundImage> find_image(store::Store& store, std::string_view reference, Arena& arena);

}  // namespace slipway::manager
