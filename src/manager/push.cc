#include "src/manager/push.h"

namespace slipway::manager {

namespace {

class Pusher {
 public:
  Pusher(const store::ImageStore& images, oci::RegistryClient& registry, const oci::Reference& name,
         TransferObserver& observer)
      : images_(images), registry_(registry), name_(name), observer_(observer) {}

  Result<PushedImage> operator()() {
    const std::optional<std::string> id = images_.images.resolve(name_);
    if (!id)
      return Error::of(ErrorKind::not_found, "An image does not exist locally with the tag: %s",
                       name_.familiar_name().c_str());
    const store::Image* image = TRY(images_.images.get(*id, arena_));
    const Digest digest = TRY(Digest::parse(image->manifest));
    const std::string text = TRY(images_.content.read(digest, oci::kDocumentLimit));
    const oci::Manifest* manifest = TRY(oci::parse_manifest(text, arena_));
    const oci::ImageConfig* config = TRY(store::read_config(images_.content, *id, arena_));
    TRY(find_sources(*id));
    observer_.begin();
    for (uint32_t i = 0; i < manifest->layers.size(); ++i) {
      const bool known = i < config->rootfs.diff_ids.size();
      const Digest shown = known ? TRY(Digest::parse(config->rootfs.diff_ids[i])) : manifest->layers[i].id();
      TRY(push_layer(manifest->layers[i], shown.brief()));
    }
    TRY(push_config(manifest->config));
    TRY(registry_.push_manifest(name_.path, name_.tag, std::string(image->manifest_type.view()), text));
    oci::Reference by_digest = name_;
    by_digest.tag.clear();
    by_digest.digest = digest;
    TRY(images_.images.tag(by_digest, *id));
    return PushedImage{digest, text.size()};
  }

 private:
  /// Other repositories of the registry that this image came from or went to.
  Status find_sources(const std::string& id) {
    for (const store::Name& name : TRY(images_.images.names()))
      if (name.id == id && name.reference.digest && name.reference.domain == name_.domain &&
          name.reference.path != name_.path)
        sources_.push_back(name.reference.path);
    return {};
  }

  /// Layers that may not be distributed stay where their URLs say.
  static bool foreign(const oci::Descriptor& layer) {
    return !layer.urls.empty() &&
           (layer.media_type.view().find("nondistributable") != std::string_view::npos ||
            layer.media_type.view().find("foreign") != std::string_view::npos);
  }

  Status push_layer(const oci::Descriptor& layer, const std::string& shown) {
    const auto size = static_cast<uint64_t>(layer.size);
    if (foreign(layer)) return {};
    if (TRY(registry_.has_blob(name_.path, layer.id()))) {
      observer_.layer(shown, TransferEvent::exists, size, size);
      return {};
    }
    observer_.layer(shown, TransferEvent::waiting, 0, size);
    for (const std::string& source : sources_)
      if (TRY(registry_.mount_blob(name_.path, layer.id(), source))) {
        observer_.layer(shown, TransferEvent::mounted, size, size);
        return {};
      }
    const Fd file = TRY(images_.content.open_blob(layer.id()));
    TRY(registry_
            .push_blob(name_.path, layer.id(), file.get(), size,
                       [&](uint64_t sent) { observer_.layer(shown, TransferEvent::moving, sent, size); })
            .ctx("layer %s", shown.c_str()));
    observer_.layer(shown, TransferEvent::pushed, size, size);
    return {};
  }

  Status push_config(const oci::Descriptor& config) {
    if (TRY(registry_.has_blob(name_.path, config.id()))) return {};
    const Fd file = TRY(images_.content.open_blob(config.id()));
    return registry_.push_blob(name_.path, config.id(), file.get(), static_cast<uint64_t>(config.size), {})
        .ctx("image config");
  }

  const store::ImageStore& images_;
  oci::RegistryClient& registry_;
  const oci::Reference& name_;
  TransferObserver& observer_;
  std::vector<std::string> sources_;
  Arena arena_;
};

}  // namespace

Result<PushedImage> push_image(const store::ImageStore& images, oci::RegistryClient& registry,
                               const oci::Reference& name, TransferObserver& observer) {
  return Pusher(images, registry, name, observer)();
}

}  // namespace slipway::manager
