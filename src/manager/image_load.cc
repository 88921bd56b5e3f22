#include "src/manager/image_load.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "src/manager/image_publish.h"
#include "src/manager/load_legacy.h"
#include "src/store/work.h"

using namespace slipway;

namespace {
/// One image of manifest.json.
struct SavedImage {
  Str config;
  List<Str> repo_tags;
  List<Str> layers;
};
struct SavedImages {
  List<SavedImage> images;
};
}  // namespace
JSON_OBJECT(SavedImage, JSON_FIELD(SavedImage, config, "Config"),
            JSON_FIELD(SavedImage, repo_tags, "RepoTags"), JSON_FIELD(SavedImage, layers, "Layers"));
JSON_OBJECT(SavedImages, JSON_FIELD(SavedImages, images, "images"));

namespace slipway::manager {

namespace {

constexpr int kNestedIndexes = 4;

std::string blob_name(const Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}

class Loader {
 public:
  Loader(Stores stores, ImageFiles& files, const LoadProgress& progress)
      : stores_(stores), files_(files), progress_(progress) {}

  Result<std::vector<LoadedImage>> operator()() {
    const store::Work work = TRY(store::Work::begin(stores_.images.root));
    // The OCI documents say more (media types, compressed layers), so they are preferred where both are.
    std::optional<std::string> index = TRY(files_.text("index.json"));
    std::optional<std::string> manifest = TRY(files_.text("manifest.json"));
    if (index && TRY(files_.text("oci-layout"))) {
      TRY(load_index(*index).ctx("index.json"));
    } else if (manifest) {
      TRY(load_manifest(*manifest).ctx("manifest.json"));
    } else {
      const std::string repositories = TRY(files_.text("repositories")).value_or("");
      for (LegacyImage& image : TRY(read_legacy_images(files_, repositories)))
        TRY(load(std::move(image.config), "", "", image.layers, image.names));
      if (loaded_.empty())
        return Error::of(ErrorKind::invalid,
                         "not an image archive: it has no index.json, no manifest.json and no repositories");
    }
    return std::move(loaded_);
  }

 private:
  // --- docker-archive

  Status load_manifest(const std::string& text) {
    Arena arena;
    const auto* list =
        TRY(json::read<SavedImages>("{\"images\":" + text + "}", json::type<SavedImages>, arena));
    for (const SavedImage& image : list->images) {
      std::optional<std::string> config = TRY(files_.text(image.config.c_str()));
      if (!config) return Error::of(ErrorKind::invalid, "the archive has no `%s`", image.config.c_str());
      std::vector<std::string> layers;
      for (const Str& layer : image.layers) layers.emplace_back(layer.view());
      std::vector<oci::Reference> names;
      for (const Str& tag : image.repo_tags) names.push_back(TRY(oci::Reference::parse(tag)));
      TRY(load(std::move(*config), "", "", layers, names));
    }
    return {};
  }

  // --- OCI

  Status load_index(const std::string& text) {
    Arena arena;
    const oci::Index* index = TRY(oci::parse_index(text, arena));
    // An image with several names has several entries.
    std::vector<std::pair<const oci::Descriptor*, std::vector<oci::Reference>>> images;
    for (const oci::Descriptor& entry : index->manifests) {
      auto at = std::find_if(images.begin(), images.end(),
                             [&](const auto& image) { return image.first->digest == entry.digest; });
      if (at == images.end()) at = images.insert(images.end(), {&entry, {}});
      if (std::optional<oci::Reference> name = name_of(entry)) at->second.push_back(std::move(*name));
    }
    for (const auto& [entry, names] : images) TRY(load_descriptor(*entry, names, 0));
    return {};
  }

  /// containerd and Docker write a whole name, skopeo and podman what was given to them: perhaps only a tag,
  /// of a name that nobody knows any more.
  static std::optional<oci::Reference> name_of(const oci::Descriptor& entry) {
    const Str* text = entry.annotations.find(oci::kImageNameAnnotation);
    const bool whole = text != nullptr;
    if (!text) text = entry.annotations.find(oci::kRefNameAnnotation);
    if (!text) return std::nullopt;
    if (!whole && text->view().find_first_of("/:") == std::string_view::npos) return std::nullopt;
    Result<oci::Reference> name = oci::Reference::parse(*text);
    if (!name.ok()) return std::nullopt;
    name->default_tag();
    return std::move(*name);
  }

  Status load_descriptor(const oci::Descriptor& entry, const std::vector<oci::Reference>& names, int depth) {
    const Digest digest = entry.id();
    std::optional<std::string> text = TRY(files_.text(blob_name(digest)));
    if (!text) return Error::of(ErrorKind::invalid, "the archive has no `%s`", blob_name(digest).c_str());
    if (sha256(*text) != digest)
      return Error::of(ErrorKind::invalid, "`%s` has another digest", blob_name(digest).c_str());
    Arena arena;
    if (oci::is_index(entry.media_type)) {
      if (depth >= kNestedIndexes) return Error::of(ErrorKind::invalid, "indexes are nested too deep");
      const oci::Index* index = TRY(oci::parse_index(*text, arena));
      const oci::Descriptor* chosen = oci::choose_platform(*index);
      if (!chosen)
        return Error::of(ErrorKind::not_found, "the archive has no image for linux/%s",
                         oci::host_architecture());
      return load_descriptor(*chosen, names, depth + 1);
    }
    const oci::Manifest* manifest = TRY(oci::parse_manifest(*text, arena));
    const std::string type =
        manifest->media_type.empty() ? entry.media_type.c_str() : manifest->media_type.c_str();
    if (!manifest->config.media_type.empty() && !(manifest->config.media_type == oci::media::kConfig) &&
        !(manifest->config.media_type == oci::media::kDockerConfig))
      return Error::of(ErrorKind::unsupported, "%.19s is not an image but `%s`", digest.text().c_str(),
                       manifest->config.media_type.c_str());
    std::vector<std::string> layers;
    for (const oci::Descriptor& layer : manifest->layers) {
      if (!oci::is_layer(layer.media_type))
        return Error::of(ErrorKind::unsupported, "layer %.19s is `%s`", layer.digest.c_str(),
                         layer.media_type.c_str());
      layers.push_back(blob_name(layer.id()));
      media_types_[layers.back()] = layer.media_type.view();
    }
    const std::string config_name = blob_name(manifest->config.id());
    std::optional<std::string> config = TRY(files_.text(config_name));
    if (!config) return Error::of(ErrorKind::invalid, "the archive has no `%s`", config_name.c_str());
    if (sha256(*config) != manifest->config.id())
      return Error::of(ErrorKind::invalid, "`%s` has another digest", config_name.c_str());
    return load(std::move(*config), std::move(*text), type, layers, names);
  }

  // --- one image

  Status load(std::string config_text, std::string manifest, const std::string& manifest_type,
              const std::vector<std::string>& layers, const std::vector<oci::Reference>& names) {
    Arena arena;
    const oci::ImageConfig* config = TRY(oci::parse_image_config(config_text, arena));
    const List<Str>& diff_ids = config->rootfs.diff_ids;
    if (diff_ids.size() != layers.size())
      return Error::of(ErrorKind::invalid, "invalid manifest, layers length mismatch: expected %u, got %zu",
                       diff_ids.size(), layers.size());
    NewImage image;
    Digest parent;
    for (uint32_t i = 0; i < diff_ids.size(); ++i) {
      const Digest diff_id = TRY(Digest::parse(diff_ids[i]));
      image.layers.push_back(
          TRY(load_layer(parent, diff_id, layers[i], !manifest.empty(), i, layers.size())));
      parent = image.layers.back().chain;
    }
    image.config = std::move(config_text);
    image.manifest = std::move(manifest);
    image.manifest_type = manifest_type;
    LoadedImage done;
    done.names = names;
    for (const oci::Reference& name : names)
      if (const std::optional<std::string> old = stores_.images.images.resolve(name))
        done.taken.emplace_back(name, *old);
    done.id = TRY(publish_image(stores_, image, names));
    std::erase_if(done.taken, [&](const auto& taken) { return taken.second == done.id; });
    loaded_.push_back(std::move(done));
    return {};
  }

  /// `named`: a manifest that is kept names the blob, so that it is needed even if the layer is here.
  Result<ImportedLayer> load_layer(const Digest& parent, const Digest& diff_id, const std::string& name,
                                   bool named, size_t number, size_t count) {
    const ImportedLayer known = TRY(find_layer(stores_, oci::chain_id(parent, diff_id)));
    if (known.chain && (!named || blob_name(known.blob) == name)) return known;
    ImageFiles::Contents contents = TRY(take(name));
    if (named && blob_name(contents.digest) != name)
      return Error::of(ErrorKind::invalid, "`%s` has another digest", name.c_str());
    if (known.chain) {
      if (contents.staged) {
        std::vector<oci::BlobWriter> blobs;
        blobs.push_back(std::move(*contents.staged));
        TRY(stores_.images.content.commit(std::move(blobs)));
      }
      return known;
    }
    if (progress_) progress_(diff_id, number + 1, count);
    LayerOrigin origin;
    origin.parent = parent;
    origin.diff_id = diff_id;
    origin.blob = contents.digest;
    if (const auto type = media_types_.find(name); type != media_types_.end())
      origin.media_type = type->second;
    Fd published;
    if (!contents.staged) published = TRY(stores_.images.content.open_blob(contents.digest));
    const int fd = contents.staged ? contents.staged->fd() : published.get();
    if (lseek(fd, 0, SEEK_SET) < 0) return Error::sys(errno, "seek");
    if (contents.staged) origin.staged = &*contents.staged;
    oci::FdSource source(fd);
    return import_layer(stores_, source, origin).ctx("`%s`", name.c_str());
  }

  /// A layer may be in several images, or twice in one: after the first time it is in the store.
  Result<ImageFiles::Contents> take(const std::string& name) {
    if (const auto before = taken_.find(name); before != taken_.end()) {
      ImageFiles::Contents out;
      out.digest = before->second.first;
      out.size = before->second.second;
      return out;
    }
    ImageFiles::Contents contents = TRY(files_.blob(name));
    taken_[name] = {contents.digest, contents.size};
    return contents;
  }

  Stores stores_;
  ImageFiles& files_;
  const LoadProgress& progress_;
  std::vector<LoadedImage> loaded_;
  std::map<std::string, std::string> media_types_;
  std::map<std::string, std::pair<Digest, uint64_t>> taken_;
};

}  // namespace

Result<std::vector<LoadedImage>> load_images(Stores stores, ImageFiles& files, const LoadProgress& progress) {
  return Loader(stores, files, progress)();
}

}  // namespace slipway::manager
