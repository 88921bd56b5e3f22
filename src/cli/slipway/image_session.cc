#include "src/cli/slipway/image_session.h"

#include "src/manager/orphans.h"

namespace slipway::cli {

Result<ImageSession> open_images(const Call& call) {
  std::unique_ptr<store::Store> store = TRY(open_store(call));
  store::ImageStore images = TRY(store::ImageStore::open(store->root()));
  return ImageSession{std::move(store), std::move(images)};
}

Result<manager::Stores> ImageSession::with_driver() {
  const manager::Stores stores{images, *TRY(store->driver())};
  // The verb itself does not depend on it: what cannot be taken away now is left to the next one.
  (void)manager::finish_abandoned_work(stores, *store);
  return stores;
}

}  // namespace slipway::cli
