#include "src/manager/orphans.h"

#include <fcntl.h>
#include <unistd.h>

#include <set>

#include "src/manager/image_collect.h"
#include "src/store/work.h"

namespace slipway::manager {

Result<Orphans> find_orphans(Stores stores, const std::vector<ImageUser>& users) {
  const store::ImageStore& images = stores.images;
  Orphans out;
  const Needed need = TRY(needed(images, users, ""));
  for (const std::string& id : TRY(images.layers.list()))
    if (!need.layers.contains(id)) out.layers.push_back(id);
  std::set<std::string, std::less<>> containers;
  for (const ImageUser& user : users) containers.insert(user.container);
  // A container that is being made or removed has its layer before or after its record.
  const Fd pending = TRY(images.root.room("pending"));
  for (const std::string& id : TRY(stores.driver.list()))
    if (!need.layers.contains(id) && !containers.contains(id) && !images.layers.has(id) &&
        faccessat(pending.get(), id.c_str(), F_OK, 0) < 0)
      out.trees.push_back(id);
  for (const Digest& blob : TRY(images.content.list()))
    if (!need.blobs.contains(blob)) out.blobs.push_back(blob);
  return out;
}

Status remove_orphan_layer(Stores stores, const std::string& id) {
  TRY(stores.images.layers.remove(id));
  return stores.driver.remove(id);
}

Status forget_image(store::Store& store) {
  store::ImageStore images = TRY(store::ImageStore::open(store.root()));
  TRY(store::leave_mark(images.root));
  return finish_abandoned_work({images, *TRY(store.driver())}, store);
}

Status finish_abandoned_work(Stores stores, store::Store& store) {
  const store::ImageStore& images = stores.images;
  if (!TRY(store::work_is_marked(images.root))) return {};
  const store::Lock alone = TRY(store::try_lock_out_work(images.root));
  // The mark may have been of somebody who lives, and has finished since.
  if (!alone || !TRY(store::work_is_marked(images.root))) return {};
  const store::Lock collect = TRY(images.root.lock_collect(store::Root::Mode::exclusive));
  TRY(stores.driver.recover());
  const std::vector<ImageUser> users = TRY(image_users(store));
  const Orphans orphans = TRY(find_orphans(stores, users));
  for (const std::string& id : orphans.layers) TRY(remove_orphan_layer(stores, id));
  for (const std::string& id : orphans.trees) TRY(stores.driver.remove(id));
  for (const Digest& blob : orphans.blobs) TRY(images.content.remove(blob));
  TRY(images.images.sweep());
  TRY(store::refresh_index(images));
  return store::forget_marks(images.root);
}

}  // namespace slipway::manager
