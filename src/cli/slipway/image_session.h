// What the verbs of images begin with.
#pragma once

#include <memory>

#include "src/cli/slipway/session.h"
#include "src/manager/layer_import.h"
#include "src/store/image_store.h"

namespace slipway::cli {

struct ImageSession {
  std::unique_ptr<store::Store> store;
  store::ImageStore images;

  /// With the graph driver, for verbs that touch layers. Takes away what commands that died left of images.
  Result<manager::Stores> with_driver();
};

Result<ImageSession> open_images(const Call& call);

}  // namespace slipway::cli
