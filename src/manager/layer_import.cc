#include "src/manager/layer_import.h"

#include <unistd.h>

#include <cerrno>

#include "oci/image_config.h"
#include "oci/layer_apply.h"
#include "src/manager/image_collect.h"
#include "src/sys/mount.h"

namespace slipway::manager {

namespace {

oci::WhiteoutStyle style_of(const drivers::Driver& driver) {
  switch (driver.whiteouts()) {
    case drivers::Whiteouts::overlay:
      return driver.capabilities().user_xattr ? oci::WhiteoutStyle::overlay_user
                                              : oci::WhiteoutStyle::overlay_trusted;
    case drivers::Whiteouts::aufs:
      return oci::WhiteoutStyle::aufs;
    case drivers::Whiteouts::materialised:
      break;
  }
  return oci::WhiteoutStyle::materialised;
}

const char* media_type_of(oci::Compression compression) {
  switch (compression) {
    case oci::Compression::gzip:
      return oci::media::kLayerGzip;
    case oci::Compression::zstd:
      return oci::media::kLayerZstd;
    default:
      return oci::media::kLayer;
  }
}

}  // namespace

Result<ImportedLayer> find_layer(Stores stores, const Digest& chain) {
  const std::string id = chain.hex();
  ImportedLayer found;
  if (!stores.images.layers.has(id)) return found;
  Arena arena;
  const store::Layer* layer = TRY(stores.images.layers.get(id, arena));
  found.diff_id = TRY(Digest::parse(layer->diff_id));
  found.blob = TRY(Digest::parse(layer->blob));
  found.media_type = layer->media_type.view();
  found.blob_size = static_cast<uint64_t>(layer->blob_size);
  found.size = layer->size;
  if (stores.images.content.has(found.blob) && TRY(stores.driver.exists(id))) found.chain = chain;
  return found;
}

Result<ImportedLayer> import_layer(Stores stores, oci::ByteSource& source, const LayerOrigin& origin) {
  const std::string parent = origin.parent ? origin.parent.hex() : "";
  std::vector<oci::BlobWriter> blobs;
  oci::LayerStreamOptions reading;
  reading.known = origin.blob;
  if (!origin.blob) {
    blobs.push_back(TRY(stores.images.content.begin()));
    reading.copy = &blobs[0];
  }
  std::unique_ptr<drivers::Stage> stage = TRY(stores.driver.stage(parent));
  oci::ApplyOptions options;
  options.style = style_of(stores.driver);
  if (!parent.empty() && options.style != oci::WhiteoutStyle::materialised)
    options.lower = [&]() -> Result<Fd> { return sys::mount_detached(TRY(stores.driver.mounts(parent))); };
  const std::unique_ptr<oci::LayerStream> stream = TRY(oci::LayerStream::open(source, reading));
  const oci::Applied applied = TRY(oci::apply_layer(*stream, stage->root(), options));
  const oci::LayerSums sums = TRY(stream->finish());
  if (origin.diff_id && origin.diff_id != sums.diff_id)
    return Error::of(ErrorKind::invalid, "the layer's tar is %s, not %s", sums.diff_id.text().c_str(),
                     origin.diff_id.text().c_str());
  // The tree, and with it the blob when both are on one file system; the names come after.
  if (syncfs(stage->root()) < 0) return Error::sys(errno, "sync the layer");
  if (origin.staged) blobs.push_back(std::move(*origin.staged));
  TRY(stores.images.content.commit(std::move(blobs)));

  ImportedLayer out;
  out.chain = oci::chain_id(origin.parent, sums.diff_id);
  out.diff_id = sums.diff_id;
  out.blob = sums.blob;
  out.media_type = origin.media_type.empty() ? media_type_of(sums.compression) : origin.media_type;
  out.blob_size = sums.blob_size;
  out.size = applied.bytes;
  const std::string id = out.chain.hex(), diff_id = out.diff_id.text(), blob = out.blob.text();
  const store::Lock lock = TRY(lock_layer(stores.images.root, id));
  TRY(stores.driver.commit(std::move(stage), id, parent));
  store::Layer layer;
  layer.id = {id.c_str(), id.size()};
  layer.parent = {parent.c_str(), parent.size()};
  layer.diff_id = {diff_id.c_str(), diff_id.size()};
  layer.blob = {blob.c_str(), blob.size()};
  layer.media_type = {out.media_type.c_str(), out.media_type.size()};
  layer.blob_size = static_cast<int64_t>(sums.blob_size);
  layer.tar_size = static_cast<int64_t>(sums.tar_size);
  layer.size = applied.bytes;
  layer.created = {origin.created.c_str(), origin.created.size()};
  layer.created_by = {origin.created_by.c_str(), origin.created_by.size()};
  layer.author = {origin.author.c_str(), origin.author.size()};
  TRY(stores.images.layers.add(layer));
  return out;
}

}  // namespace slipway::manager
