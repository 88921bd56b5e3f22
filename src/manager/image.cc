#include "src/manager/image.h"

#include "oci/content_store.h"
#include "src/store/images.h"
#include "src/store/root.h"

namespace slipway::manager {

Result<FoundImage> find_image(store::Store& store, std::string_view reference, Arena& arena) {
  const store::Root root = TRY(store::Root::open(store.root()));
  const store::Images images = TRY(store::Images::open(root));
  const store::Image* image = TRY(images.find(reference, arena));
  const oci::ContentStore content = TRY(oci::ContentStore::open(store.root() + "/content"));
  FoundImage found;
  found.id = image->id;
  found.top = image->top;
  found.config = TRY(store::read_config(content, image->id, arena));
  return found;
}

}  // namespace slipway::manager
