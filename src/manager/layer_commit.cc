#include "src/manager/layer_commit.h"

#include "oci/piece_ring.h"
#include "src/manager/layer_diff.h"

namespace slipway::manager {

Result<std::vector<ImportedLayer>> layers_of(Stores stores, std::string_view chain) {
  std::vector<ImportedLayer> layers;
  for (std::string id(chain); !id.empty();) {
    Arena arena;
    const Digest digest = TRY(Digest::from_hex(id));
    layers.push_back(TRY(find_layer(stores, digest)));
    if (!layers.back().chain) return Error::of(ErrorKind::not_found, "layer %.12s is gone", id.c_str());
    id = TRY(stores.images.layers.get(id, arena))->parent.view();
  }
  return std::vector<ImportedLayer>(layers.rbegin(), layers.rend());
}

Result<std::optional<ImportedLayer>> commit_layer(Stores stores, std::string_view id,
                                                  const std::vector<drivers::Change>& changes,
                                                  const LayerOrigin& origin) {
  if (changes.empty()) return std::optional<ImportedLayer>();
  const Fd contents = TRY(stores.driver.contents(id));
  oci::ProducerSource source([&](const oci::ByteSink& sink) {
    oci::TarWriter writer(sink);
    return write_layer_diff(contents.get(), changes, writer);
  });
  return std::optional(TRY(import_layer(stores, source, origin)));
}

}  // namespace slipway::manager
