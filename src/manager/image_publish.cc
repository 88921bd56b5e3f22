#include "src/manager/image_publish.h"

#include <ctime>

#include "src/store/id.h"

namespace slipway::manager {

namespace {

std::string write_manifest(const NewImage& image, const Digest& config) {
  json::Writer writer;
  const auto descriptor = [&](const std::string& type, uint64_t size, const Digest& digest) {
    writer.begin_object().key("mediaType").string(type);
    writer.key("digest").string(digest.text()).key("size").unsigned_integer(size).end_object();
  };
  writer.begin_object().key("schemaVersion").integer(2);
  writer.key("mediaType").string(oci::media::kManifest).key("config");
  descriptor(oci::media::kConfig, image.config.size(), config);
  writer.key("layers").begin_array();
  for (const ImportedLayer& layer : image.layers) descriptor(layer.media_type, layer.blob_size, layer.blob);
  writer.end_array().end_object();
  return std::string(writer.text());
}

int64_t nanoseconds_now() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

/// The record, but for the names. The strings must outlive it.
Result<store::Image> make_record(const NewImage& image, const std::string& id, Arena& arena) {
  const oci::ImageConfig* config = TRY(oci::parse_image_config(image.config, arena));
  store::Image record;
  record.id = arena.copy(id);
  record.parent = arena.copy(image.parent);
  if (!image.layers.empty()) record.top = arena.copy(image.layers.back().chain.hex());
  for (const ImportedLayer& layer : image.layers) record.size += layer.size;
  if (Result<store::Time> created = store::parse_rfc3339(config->created); created.ok())
    record.created = created->seconds;
  return record;
}

}  // namespace

Result<std::string> publish_image(Stores stores, const NewImage& image,
                                  const std::vector<oci::Reference>& names) {
  Arena arena;
  store::ImageStore& images = stores.images;
  const Digest config = sha256(image.config);
  const std::string id = config.hex();
  store::Image record = TRY(make_record(image, id, arena));
  const std::string manifest = image.manifest.empty() ? write_manifest(image, config) : image.manifest;
  record.manifest_type =
      image.manifest.empty() ? Str(oci::media::kManifest) : arena.copy(image.manifest_type);
  record.manifest_size = static_cast<int64_t>(manifest.size());
  {
    const store::Lock lock = TRY(images.root.lock_collect(store::Root::Mode::shared));
    for (const ImportedLayer& layer : image.layers)
      if (!TRY(find_layer(stores, layer.chain)).chain)
        return Error::of(ErrorKind::in_use, "layer %s was removed by another command at this moment",
                         layer.chain.text().c_str());
    TRY(images.content.put(image.config));
    record.manifest = arena.copy(TRY(images.content.put(manifest)).digest.text());
    Result<store::Image*> known = images.images.get(id, arena);
    if (known.ok()) {
      // The same image again: what is remembered of it stays.
      record = **known;
    } else if (known.error().kind() != ErrorKind::not_found) {
      return std::move(known).error();
    }
    if (!names.empty()) record.tagged = nanoseconds_now();
    TRY(images.images.add(record));
    for (const oci::Reference& name : names) TRY(images.images.tag(name, id));
  }
  TRY(store::add_to_index(images, id, names));
  return id;
}

}  // namespace slipway::manager
