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

  /// With the graph driver, for verbs that touch layers.
  Result<manager::Stores> with_driver() { return manager::Stores{images, *TRY(store->driver())}; }
};

Result<ImageSession> open_images(const Call& call);

}  // namespace slipway::cli
