#include "src/store/image_store.h"

#include <map>

namespace slipway::store {

Result<ImageStore> ImageStore::open(const std::string& root_path) {
  Root root = TRY(Root::open(root_path));
  oci::ContentStore content = TRY(oci::ContentStore::open(root_path + "/content"));
  Layers layers = TRY(Layers::open(root));
  Images images = TRY(Images::open(root));
  return ImageStore{std::move(root), std::move(content), std::move(layers), std::move(images)};
}

Status refresh_index(const ImageStore& store) {
  // Two writers would else write what each saw, and the older view might stay.
  const Lock lock = TRY(store.root.lock("index", Root::Mode::exclusive));
  Arena arena;
  std::multimap<std::string, std::string> names;
  for (const Name& name : TRY(store.images.names())) names.emplace(name.id, name.reference.text());
  std::vector<oci::ContentStore::Named> entries;
  for (const Image& image : TRY(store.images.list(arena))) {
    Result<Digest> manifest = Digest::parse(image.manifest);
    if (!manifest.ok()) continue;  // `system check` tells of it
    oci::ContentStore::Named entry = {*manifest, image.manifest_type.c_str(),
                                      static_cast<uint64_t>(image.manifest_size), ""};
    const auto [begin, end] = names.equal_range(image.id.c_str());
    if (begin == end) entries.push_back(entry);
    for (auto at = begin; at != end; ++at) {
      entry.name = at->second;
      entries.push_back(entry);
    }
  }
  return store.content.write_index(entries);
}

}  // namespace slipway::store
