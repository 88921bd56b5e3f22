// What nobody needs: layers and blobs that a process left that died while it made or removed an image.
#pragma once

#include <string>
#include <vector>

#include "src/manager/image_users.h"
#include "src/manager/layer_import.h"
#include "src/store/store.h"

namespace slipway::manager {

struct Orphans {
  std::vector<std::string> layers;  // with a record, and perhaps a tree
  std::vector<std::string> trees;   // in the driver alone
  std::vector<Digest> blobs;
};

/// The caller has locked out work (src/store/work.h) and holds `collect` exclusively; `users` is from after that.
Result<Orphans> find_orphans(Stores stores, const std::vector<ImageUser>& users);

Status remove_orphan_layer(Stores stores, const std::string& id);

/// A container has gone whose image had been removed by force before: its layers go, too, now or with the next
/// command on images.
Status forget_image(store::Store& store);

/// Takes away what processes left that died at work on images. Costs one look at an empty directory when none
/// did; does nothing while others work.
Status finish_abandoned_work(Stores stores, store::Store& store);

}  // namespace slipway::manager
