#include "src/cli/slipway/image_session.h"

namespace slipway::cli {

Result<ImageSession> open_images(const Call& call) {
  std::unique_ptr<store::Store> store = TRY(open_store(call));
  store::ImageStore images = TRY(store::ImageStore::open(store->root()));
  return ImageSession{std::move(store), std::move(images)};
}

}  // namespace slipway::cli
