#include "src/manager/save_documents.h"

#include <map>

#include "src/base/value.h"

namespace slipway::manager {

Result<std::vector<SavedImageData>> read_saved(const store::ImageStore& images,
                                               const std::vector<SavedName>& saved) {
  std::vector<SavedImageData> out;
  for (const SavedName& name : saved) {
    Arena arena;
    const store::Image* image = TRY(images.images.get(name.id, arena));
    SavedImageData data;
    data.names = name.names;
    data.config = TRY(Digest::from_hex(name.id));
    data.config_text = TRY(images.content.read(data.config, oci::kDocumentLimit));
    data.manifest = TRY(Digest::parse(image->manifest));
    data.manifest_type = image->manifest_type.view();
    data.manifest_size = static_cast<uint64_t>(image->manifest_size);
    const std::string text = TRY(images.content.read(data.manifest, oci::kDocumentLimit));
    const oci::Manifest* manifest = TRY(oci::parse_manifest(text, arena));
    const oci::ImageConfig* config = TRY(oci::parse_image_config(data.config_text, arena));
    const std::vector<Digest> chain = oci::chain_ids(config->rootfs.diff_ids);
    if (chain.size() != manifest->layers.size())
      return Error::of(ErrorKind::invalid, "image %.12s: its manifest and its config differ in layers",
                       name.id.c_str());
    for (uint32_t i = 0; i < chain.size(); ++i) {
      const store::Layer* layer = TRY(images.layers.get(chain[i].hex(), arena));
      data.layers.push_back({manifest->layers[i].id(), chain[i], layer->tar_size});
    }
    out.push_back(std::move(data));
  }
  return out;
}

std::string index_document(const std::vector<SavedImageData>& images) {
  json::Writer writer;
  writer.begin_object().key("schemaVersion").integer(2);
  writer.key("mediaType").string(oci::media::kIndex).key("manifests").begin_array();
  const auto entry = [&](const SavedImageData& image, const oci::Reference* name) {
    writer.begin_object().key("mediaType").string(image.manifest_type);
    writer.key("digest").string(image.manifest.text()).key("size").unsigned_integer(image.manifest_size);
    if (name) {
      writer.key("annotations").begin_object();
      writer.key(oci::kImageNameAnnotation).string(name->text());
      writer.key(oci::kRefNameAnnotation).string(name->tag).end_object();
    }
    writer.end_object();
  };
  for (const SavedImageData& image : images) {
    if (image.names.empty()) entry(image, nullptr);
    for (const oci::Reference& name : image.names) entry(image, &name);
  }
  writer.end_array().end_object();
  return std::string(writer.text());
}

SavedPaths layout_paths(const SavedImageData& image) {
  const auto path = [](const Digest& digest) { return "blobs/sha256/" + digest.hex(); };
  SavedPaths paths = {path(image.config), {}};
  for (const SavedLayer& layer : image.layers) paths.layers.push_back(path(layer.blob));
  return paths;
}

SavedPaths legacy_paths(const SavedImageData& image) {
  SavedPaths paths = {image.config.hex() + ".json", {}};
  for (const LegacyLayer& layer : legacy_layers(image)) paths.layers.push_back(layer.id + "/layer.tar");
  return paths;
}

std::string manifest_document(const std::vector<SavedImageData>& images,
                              const std::function<SavedPaths(const SavedImageData&)>& paths) {
  json::Writer writer;
  writer.begin_array();
  for (const SavedImageData& image : images) {
    const SavedPaths where = paths(image);
    writer.begin_object().key("Config").string(where.config).key("RepoTags");
    if (image.names.empty()) {
      writer.null();
    } else {
      writer.begin_array();
      for (const oci::Reference& name : image.names) writer.string(name.familiar());
      writer.end_array();
    }
    writer.key("Layers").begin_array();
    for (const std::string& layer : where.layers) writer.string(layer);
    writer.end_array().end_object();
  }
  writer.end_array();
  return std::string(writer.text()) + "\n";
}

std::string repositories_document(const std::vector<SavedImageData>& images,
                                  const std::function<std::string(const SavedImageData&)>& top) {
  std::map<std::string, std::map<std::string, std::string>> repositories;
  for (const SavedImageData& image : images)
    for (const oci::Reference& name : image.names) repositories[name.familiar_name()][name.tag] = top(image);
  if (repositories.empty()) return "";
  json::Writer writer;
  writer.begin_object();
  for (const auto& [repository, tags] : repositories) {
    writer.key(repository).begin_object();
    for (const auto& [tag, id] : tags) writer.key(tag).string(id);
    writer.end_object();
  }
  writer.end_object();
  return std::string(writer.text()) + "\n";
}

std::vector<LegacyLayer> legacy_layers(const SavedImageData& image) {
  // Only the uppermost layer has a config; the others say who their parent is.
  const Result<Value> parsed = Value::parse(image.config_text);
  std::vector<LegacyLayer> out;
  std::string parent;
  for (const SavedLayer& layer : image.layers) {
    const bool top = &layer == &image.layers.back();
    Value json = Value::map();
    if (top && parsed.ok())
      for (const char* key : {"architecture", "author", "comment", "config", "created", "os", "variant"})
        if (const Value* value = parsed.value().find(key)) json.set(key, *value);
    if (!top) json.set("created", "1970-01-01T00:00:00Z").set("os", "linux");
    if (!parent.empty()) json.set("parent", parent);
    // Any id will do that no other layer has; this one is the same every time.
    const std::string id = sha256(layer.chain.text() + " " + parent + " " + json.json()).hex();
    json.set("id", id);
    out.push_back({id, json.json(), &layer});
    parent = id;
  }
  return out;
}

}  // namespace slipway::manager
