#include "src/manager/image_collect.h"

namespace slipway::manager {

namespace {

/// The blobs that a manifest names, and its own.
Status add_blobs(const store::ImageStore& images, const store::Image& image, std::vector<Digest>* out) {
  Arena arena;
  const Digest manifest = TRY(Digest::parse(image.manifest));
  out->push_back(TRY(Digest::from_hex(image.id)));
  out->push_back(manifest);
  Result<std::string> text = images.content.read(manifest, oci::kDocumentLimit);
  if (!text.ok()) return {};  // `system check` tells of it
  Result<oci::Manifest*> parsed = oci::parse_manifest(*text, arena);
  if (!parsed.ok()) return {};
  for (const oci::Descriptor& layer : (*parsed)->layers) out->push_back(layer.id());
  return {};
}

/// The layer and all below it that are not in the set yet.
void add_chain(const store::ImageStore& images, std::string id, Needed* out) {
  while (!id.empty() && out->layers.insert(id).second) {
    Arena arena;
    Result<store::Layer*> layer = images.layers.get(id, arena);
    if (!layer.ok()) return;
    if (Result<Digest> blob = Digest::parse((*layer)->blob); blob.ok()) out->blobs.insert(*blob);
    id = (*layer)->parent.view();
  }
}

}  // namespace

Result<Needed> needed(const store::ImageStore& images, const std::vector<ImageUser>& users,
                      std::string_view except) {
  Needed out;
  Arena arena;
  for (const store::Image& image : TRY(images.images.list(arena))) {
    if (image.id == except) continue;
    std::vector<Digest> blobs;
    TRY(add_blobs(images, image, &blobs));
    out.blobs.insert(blobs.begin(), blobs.end());
    add_chain(images, std::string(image.top.view()), &out);
  }
  for (const ImageUser& user : users) add_chain(images, user.layer, &out);
  return out;
}

Result<Belongings> belongings(const store::ImageStore& images, const store::Image& image) {
  Belongings out;
  TRY(add_blobs(images, image, &out.blobs));
  std::string id(image.top.view());
  while (!id.empty()) {
    Arena arena;
    Result<store::Layer*> layer = images.layers.get(id, arena);
    if (!layer.ok()) break;
    out.layers.push_back(id);
    if (Result<Digest> blob = Digest::parse((*layer)->blob); blob.ok()) out.blobs.push_back(*blob);
    id = (*layer)->parent.view();
  }
  return out;
}

Result<store::Lock> lock_layer(const store::Root& root, std::string_view chain) {
  // 256 files for all layers: lock files are never removed.
  return root.lock("layer-" + std::string(chain.substr(0, 2)), store::Root::Mode::exclusive);
}

Status remove_trees(Stores stores, const std::vector<std::string>& layers) {
  for (const std::string& id : layers) {
    const store::Lock lock = TRY(lock_layer(stores.images.root, id));
    // Somebody may have brought the same layer back.
    if (stores.images.layers.has(id)) continue;
    TRY(stores.driver.remove(id));
  }
  return {};
}

}  // namespace slipway::manager
