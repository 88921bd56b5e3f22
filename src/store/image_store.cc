#include "src/store/image_store.h"

namespace slipway::store {

Result<ImageStore> ImageStore::open(const std::string& root_path) {
  Root root = TRY(Root::open(root_path));
  oci::ContentStore content = TRY(oci::ContentStore::open(root_path + "/content"));
  Layers layers = TRY(Layers::open(root));
  Images images = TRY(Images::open(root));
  return ImageStore{std::move(root), std::move(content), std::move(layers), std::move(images)};
}

namespace {

/// Two writers would else write what each saw, and the older view might stay.
Result<Lock> lock_index(const ImageStore& store) {
  return store.root.lock("index", Root::Mode::exclusive);
}

oci::ContentStore::Named entry_of(const Image& image, const Digest& manifest) {
  return {manifest, image.manifest_type.c_str(), static_cast<uint64_t>(image.manifest_size), ""};
}

Status write_all(const ImageStore& store) {
  Arena arena;
  std::multimap<std::string, std::string> names;
  for (const Name& name : TRY(store.images.names())) names.emplace(name.id, name.reference.text());
  std::vector<oci::ContentStore::Named> entries;
  for (const Image& image : TRY(store.images.list(arena))) {
    Result<Digest> manifest = Digest::parse(image.manifest);
    if (!manifest.ok()) continue;  // `system check` tells of it
    oci::ContentStore::Named entry = entry_of(image, *manifest);
    const auto [begin, end] = names.equal_range(image.id.c_str());
    if (begin == end) entries.push_back(entry);
    for (auto at = begin; at != end; ++at) {
      entry.name = at->second;
      entries.push_back(entry);
    }
  }
  return store.content.write_index(entries);
}

}  // namespace

Status refresh_index(const ImageStore& store) {
  const Lock lock = TRY(lock_index(store));
  return write_all(store);
}

Status add_to_index(const ImageStore& store, std::string_view id, const std::vector<oci::Reference>& names) {
  const Lock lock = TRY(lock_index(store));
  Arena arena;
  Result<Image*> image = store.images.get(id, arena);
  if (!image.ok()) return write_all(store);  // it is removed at this moment
  oci::ContentStore::Named entry = entry_of(**image, TRY(Digest::parse((*image)->manifest)));
  std::vector<oci::ContentStore::Named> entries;
  for (const oci::Reference& name : names) {
    if (store.images.resolve(name) != id) continue;  // somebody has been faster, and notes that himself
    entry.name = name.text();
    entries.push_back(entry);
  }
  if (entries.empty()) entries.push_back(entry);
  return TRY(store.content.add_to_index(entries)) ? Status() : write_all(store);
}

Status remove_from_index(const ImageStore& store, const std::vector<oci::Reference>& names,
                         const std::map<std::string, Digest>& images) {
  const Lock lock = TRY(lock_index(store));
  // Somebody may have brought them back, and has noted that, or will.
  std::vector<std::string> gone_names;
  for (const oci::Reference& name : names)
    if (!store.images.resolve(name)) gone_names.push_back(name.text());
  std::vector<Digest> gone;
  Arena arena;
  for (const auto& [id, manifest] : images)
    if (!store.images.get(id, arena).ok()) gone.push_back(manifest);
  return TRY(store.content.remove_from_index(gone_names, gone)) ? Status() : write_all(store);
}

}  // namespace slipway::store
