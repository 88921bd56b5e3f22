#include "src/manager/disk_usage.h"

#include <fcntl.h>

#include <set>

#include "drivers/tree_usage.h"
#include "src/manager/image_users.h"
#include "src/store/volumes.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

/// Adds the layers of a stack, each once; returns the bytes that are new.
Result<int64_t> add_chain(const store::ImageStore& images, std::string id, std::set<std::string>* seen) {
  int64_t size = 0;
  while (!id.empty() && seen->insert(id).second) {
    Arena arena;
    Result<store::Layer*> layer = images.layers.get(id, arena);
    if (!layer.ok()) break;  // removed at this moment
    size += (*layer)->size;
    id = (*layer)->parent.view();
  }
  return size;
}

Result<DiskUse> images_use(Stores stores, const std::vector<ImageUser>& users) {
  DiskUse use;
  Arena arena;
  std::set<std::string> all, active;
  for (const store::Image& image : TRY(stores.images.images.list(arena))) {
    ++use.total;
    use.size += TRY(add_chain(stores.images, std::string(image.top.view()), &all));
    for (const ImageUser& user : users) {
      if (!(image.id == user.image)) continue;
      ++use.active;
      break;
    }
  }
  int64_t needed = 0;
  for (const ImageUser& user : users) needed += TRY(add_chain(stores.images, user.layer, &active));
  use.reclaimable = std::max<int64_t>(use.size - needed, 0);
  return use;
}

Result<DiskUse> volumes_use(store::Store& store) {
  DiskUse use;
  store::Volumes volumes(store);
  for (const std::string& name : TRY(volumes.list())) {
    Result<std::vector<std::string>> users = volumes.users(name);
    if (!users.ok()) continue;
    const int64_t bytes = bytes_below(volumes.data_path(name));
    ++use.total;
    use.size += bytes;
    if (users->empty()) {
      use.reclaimable += bytes;
    } else {
      ++use.active;
    }
  }
  return use;
}

}  // namespace

int64_t bytes_below(const std::string& path) {
  auto dir = sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
  if (!dir.ok()) return 0;
  auto usage = drivers::usage_of_tree(dir->get());
  return usage.ok() ? static_cast<int64_t>(usage->bytes) : 0;
}

Result<std::map<std::string, ImageShare>> image_shares(const store::ImageStore& images, store::Store& store) {
  Arena arena;
  struct Layer {
    int64_t size = 0;
    unsigned images = 0;
  };
  std::map<std::string, Layer> layers;
  std::map<std::string, std::vector<std::string>> chains;
  for (const store::Image& image : TRY(images.images.list(arena))) {
    std::vector<std::string>& chain = chains[image.id.c_str()];
    for (std::string id(image.top.view()); !id.empty();) {
      Result<store::Layer*> layer = images.layers.get(id, arena);
      if (!layer.ok()) break;  // removed at this moment
      Layer& counted = layers[id];
      counted.size = (*layer)->size;
      ++counted.images;
      chain.push_back(id);
      id = (*layer)->parent.view();
    }
  }
  std::map<std::string, ImageShare> shares;
  for (const auto& [image, chain] : chains)
    for (const std::string& id : chain)
      (layers[id].images > 1 ? shares[image].shared : shares[image].unique) += layers[id].size;
  for (const ImageUser& user : TRY(image_users(store))) ++shares[user.image].containers;
  return shares;
}

Result<DiskUsage> disk_usage(Stores stores, store::Store& store) {
  DiskUsage out;
  const std::vector<ImageUser> users = TRY(image_users(store));
  out.images = TRY(images_use(stores, users));
  for (const ImageUser& user : users) {
    Result<drivers::Usage> usage = stores.driver.usage(user.container);
    if (!usage.ok()) continue;
    const auto bytes = static_cast<int64_t>(usage->bytes);
    ++out.containers.total;
    out.containers.size += bytes;
    if (user.running) {
      ++out.containers.active;
    } else {
      out.containers.reclaimable += bytes;
    }
  }
  out.volumes = TRY(volumes_use(store));
  return out;
}

}  // namespace slipway::manager
