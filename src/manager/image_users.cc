#include "src/manager/image_users.h"

#include "src/base/arena.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"

namespace slipway::manager {

Result<std::vector<ImageUser>> image_users(store::Store& store) {
  store::Containers containers(store);
  std::vector<ImageUser> users;
  for (const std::string& id : TRY(containers.list())) {
    Arena arena;
    Result<store::Record*> record = containers.load(id, arena);
    if (!record.ok()) {
      if (record.error().kind() == ErrorKind::not_found) continue;  // removed at this moment
      return std::move(record).error();
    }
    ImageUser user;
    user.container = id;
    std::string_view image = (*record)->image;
    if (image.starts_with("sha256:")) image.remove_prefix(7);
    user.image = image;
    user.layer = (*record)->layer.view();
    if (const Result<Observed> observed = observe(store, id, arena); observed.ok())
      user.running =
          observed.value().is_running() || observed.value().status == store::ContainerStatus::restarting;
    users.push_back(std::move(user));
  }
  return users;
}

}  // namespace slipway::manager
