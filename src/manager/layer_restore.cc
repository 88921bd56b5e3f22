#include "src/manager/layer_restore.h"

#include "oci/image_config.h"

namespace slipway::manager {

Result<std::vector<LayerSource>> layer_sources(const store::ImageStore& images, const store::Image& image) {
  Arena arena;
  const oci::ImageConfig* config = TRY(store::read_config(images.content, image.id, arena));
  const Digest digest = TRY(Digest::parse(image.manifest));
  const std::string text = TRY(images.content.read(digest, oci::kDocumentLimit));
  const oci::Manifest* manifest = TRY(oci::parse_manifest(text, arena));
  const List<Str>& diff_ids = config->rootfs.diff_ids;
  if (manifest->layers.size() != diff_ids.size())
    return Error::of(ErrorKind::invalid, "the manifest has %u layers, the config %u", manifest->layers.size(),
                     diff_ids.size());
  std::vector<LayerSource> out;
  Digest parent;
  for (uint32_t i = 0; i < diff_ids.size(); ++i) {
    LayerSource layer;
    layer.parent = parent;
    layer.diff_id = TRY(Digest::parse(diff_ids[i]));
    layer.chain = parent = oci::chain_id(parent, layer.diff_id);
    layer.blob = manifest->layers[i].id();
    layer.media_type = manifest->layers[i].media_type.view();
    out.push_back(std::move(layer));
  }
  return out;
}

Status restore_layer(Stores stores, const LayerSource& layer) {
  const std::string id = layer.chain.hex();
  if (TRY(stores.driver.exists(id)) && stores.images.layers.has(id)) return {};
  const Fd blob = TRY(stores.images.content.open_blob(layer.blob));
  LayerOrigin origin;
  origin.parent = layer.parent;
  origin.diff_id = layer.diff_id;
  origin.blob = layer.blob;
  origin.media_type = layer.media_type;
  oci::FdSource source(blob.get());
  TRY(import_layer(stores, source, origin).ctx("layer %.12s", id.c_str()));
  return {};
}

}  // namespace slipway::manager
