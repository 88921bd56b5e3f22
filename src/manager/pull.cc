#include "src/manager/pull.h"

#include "src/manager/image_load.h"

namespace slipway::manager {

namespace {

using Document = oci::RegistryClient::Document;

constexpr int kNestedIndexes = 4;

struct AnyDocument {
  int32_t schema_version = 0;
  Str media_type;
  List<json::Raw> manifests;
};

}  // namespace
}  // namespace slipway::manager

using namespace slipway;
using manager::AnyDocument;

JSON_OBJECT(AnyDocument, JSON_FIELD(AnyDocument, schema_version, "schemaVersion"),
            JSON_FIELD(AnyDocument, media_type, "mediaType"),
            JSON_FIELD(AnyDocument, manifests, "manifests"));

namespace slipway::manager {

namespace {

/// What the document says that it is, else what the registry says, else what it looks like.
Status settle_type(Document* document) {
  Arena arena;
  const AnyDocument* any =
      TRY(json::read<AnyDocument>(document->text, json::type<AnyDocument>, arena).ctx("manifest"));
  if (any->schema_version == 1)
    return Error::of(ErrorKind::unsupported,
                     "it is a schema 1 manifest (Docker before 1.10), which is not supported: push it again "
                     "with a newer tool");
  const bool known = oci::is_index(document->media_type) || oci::is_manifest(document->media_type);
  if (!any->media_type.empty()) {
    if (known && !(any->media_type == document->media_type))
      return Error::of(ErrorKind::invalid, "the registry says that its manifest is `%s`, and it says `%s`",
                       document->media_type.c_str(), any->media_type.c_str());
    document->media_type = any->media_type.view();
  } else if (!known) {
    document->media_type = any->manifests.empty() ? oci::media::kManifest : oci::media::kIndex;
  }
  if (oci::is_index(document->media_type) || oci::is_manifest(document->media_type)) return {};
  return Error::of(ErrorKind::unsupported, "it is not an image but `%.100s`", document->media_type.c_str());
}

/// From an index to the manifest for the platform.
Result<Document> image_manifest(oci::RegistryClient& registry, const std::string& repository, Document top,
                                const oci::PlatformChoice& platform) {
  Document document = std::move(top);
  for (int depth = 0;; ++depth) {
    TRY(settle_type(&document));
    if (!oci::is_index(document.media_type)) return document;
    if (depth == kNestedIndexes) return Error::of(ErrorKind::invalid, "indexes are nested too deep");
    Arena arena;
    const oci::Index* index = TRY(oci::parse_index(document.text, arena));
    const oci::Descriptor* chosen = oci::choose_platform(*index, platform);
    if (!chosen)
      return Error::of(ErrorKind::not_found, "no matching manifest for %s in the manifest list entries",
                       platform.text().c_str());
    const std::string digest(chosen->digest.view());
    document = TRY(registry.manifest(repository, digest));
  }
}

/// In docker's words.
Error explained(Error error, const oci::Reference& name) {
  const std::string_view text = error.text();  // until a context is added
  if (text.starts_with("manifest unknown") || text.starts_with("not found"))
    error.add_context("manifest for %s not found", name.familiar().c_str());
  else if (text.starts_with("unauthorized") || text.starts_with("denied") || text.starts_with("name unknown"))
    error.add_context("pull access denied for %s, repository does not exist or may require 'slipway login'",
                      name.familiar_name().c_str());
  return error;
}

/// The names that the image gets: its tag, and the digest that this tag has in the registry now.
std::vector<oci::Reference> names_of(const oci::Reference& name, const Digest& digest) {
  std::vector<oci::Reference> names;
  oci::Reference by_digest = name;
  by_digest.tag.clear();
  by_digest.digest = digest;
  if (!name.digest) names.push_back(name);
  names.push_back(std::move(by_digest));
  return names;
}

}  // namespace

Result<PulledImage> pull_image(Stores stores, oci::RegistryClient& registry, const oci::Reference& name,
                               const oci::PlatformChoice& platform, TransferObserver& observer) {
  Result<Document> found = registry.manifest(name.path, name.digest ? name.digest.text() : name.tag);
  if (!found.ok()) return explained(std::move(found).error(), name);
  Document top = std::move(found).value();
  PulledImage pulled;
  pulled.digest = top.digest;
  RemoteImage remote;
  remote.repository = name.path;
  remote.manifest = TRY(image_manifest(registry, name.path, std::move(top), platform));
  Arena arena;
  const oci::Manifest* manifest = TRY(oci::parse_manifest(remote.manifest.text, arena));
  for (const oci::Descriptor& layer : manifest->layers) remote.layers.push_back(layer);
  observer.begin();
  const std::vector<oci::Reference> names = names_of(name, pulled.digest);
  const std::optional<std::string> before = stores.images.images.resolve(names[0]);
  RegistryFiles files(stores.images.content, registry, remote, names, observer);
  TRY(files.fetch_layers(stores));
  const std::vector<LoadedImage> loaded = TRY(load_images(stores, files, {}));
  files.finish();
  pulled.id = loaded.at(0).id;
  pulled.newer = before != pulled.id;
  return pulled;
}

}  // namespace slipway::manager
