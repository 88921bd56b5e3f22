#include "src/manager/registry_files.h"

#include <algorithm>

#include "oci/image_config.h"
#include "src/manager/blob_downloads.h"

namespace slipway::manager {

namespace {

constexpr std::string_view kBlobPrefix = "blobs/sha256/";

Result<Digest> digest_of(const std::string& name) {
  if (!name.starts_with(kBlobPrefix)) return Error::of(ErrorKind::invalid, "`%s` is no blob", name.c_str());
  return Digest::from_hex(std::string_view(name).substr(kBlobPrefix.size()));
}

/// An index of this one image, with an entry for each of its names.
std::string index_of(const RemoteImage& image, const std::vector<oci::Reference>& names) {
  json::Writer writer;
  writer.begin_object().key("schemaVersion").integer(2).key("manifests").begin_array();
  for (const oci::Reference& name : names) {
    writer.begin_object().key("mediaType").string(image.manifest.media_type);
    writer.key("digest").string(image.manifest.digest.text());
    writer.key("size").unsigned_integer(image.manifest.text.size());
    writer.key("annotations").begin_object().key(oci::kImageNameAnnotation).string(name.text()).end_object();
    writer.end_object();
  }
  writer.end_array().end_object();
  return std::string(writer.text());
}

}  // namespace

RegistryFiles::RegistryFiles(const oci::ContentStore& content, oci::RegistryClient& registry,
                             const RemoteImage& image, const std::vector<oci::Reference>& names,
                             TransferObserver& observer)
    : content_(content),
      registry_(registry),
      image_(image),
      observer_(observer),
      index_(index_of(image, names)),
      told_(image.layers.size()) {}

Result<std::optional<std::string>> RegistryFiles::text(const std::string& name) {
  if (name == "oci-layout") return std::optional<std::string>(R"({"imageLayoutVersion":"1.0.0"})");
  if (name == "index.json") return std::optional(index_);
  if (!name.starts_with(kBlobPrefix)) return std::optional<std::string>();
  const Digest digest = TRY(digest_of(name));
  if (digest == image_.manifest.digest) return std::optional(image_.manifest.text);
  return std::optional(TRY(document(digest)));
}

/// The image's config: small, so it is kept in memory until the image is published.
Result<std::string> RegistryFiles::document(const Digest& digest) {
  if (!config_.empty()) return config_;
  if (content_.has(digest)) return content_.read(digest, oci::kDocumentLimit);
  Arena arena;
  const oci::Manifest* manifest = TRY(oci::parse_manifest(image_.manifest.text, arena));
  const auto size = static_cast<uint64_t>(manifest->config.size);
  if (manifest->config.id() != digest || size > oci::kDocumentLimit)
    return Error::of(ErrorKind::invalid, "the image's config is larger than %zu bytes", oci::kDocumentLimit);
  std::string text;
  TRY(registry_
          .blob(image_.repository, digest, size,
                [&](uint64_t, std::string_view piece) {
                  text.append(piece);
                  return Status();
                })
          .ctx("image config %.19s", digest.text().c_str()));
  if (sha256(text) != digest)
    return Error::of(ErrorKind::invalid, "image config verification failed for digest %s",
                     digest.text().c_str());
  config_ = text;
  return text;
}

void RegistryFiles::tell(size_t layer, TransferEvent event) {
  const auto size = static_cast<uint64_t>(image_.layers[layer].size);
  const bool complete = event == TransferEvent::unpacked || event == TransferEvent::exists;
  observer_.layer(image_.layers[layer].id().brief(), event, complete ? size : 0, size);
  if (complete) told_[layer] = true;
}

void RegistryFiles::tell_unpacked() {
  if (unpacking_) tell(*unpacking_, TransferEvent::unpacked);
  unpacking_.reset();
}

void RegistryFiles::finish() {
  tell_unpacked();
  for (size_t i = 0; i < told_.size(); ++i)
    if (!told_[i]) tell(i, TransferEvent::exists);
}

Status RegistryFiles::fetch_layers(Stores stores) {
  Arena arena;
  const oci::Manifest* manifest = TRY(oci::parse_manifest(image_.manifest.text, arena));
  const std::string text = TRY(document(manifest->config.id()));
  const oci::ImageConfig* config = TRY(oci::parse_image_config(text, arena));
  const List<Str>& diff_ids = config->rootfs.diff_ids;
  if (diff_ids.size() != image_.layers.size()) return {};  // whoever loads it says why that is wrong
  std::vector<WantedBlob> wanted;
  Digest chain;
  for (uint32_t i = 0; i < diff_ids.size(); ++i) {
    chain = oci::chain_id(chain, TRY(Digest::parse(diff_ids[i])));
    const Digest digest = image_.layers[i].id();
    const ImportedLayer known = TRY(find_layer(stores, chain));
    if (known.chain && known.blob == digest) {
      tell(i, TransferEvent::exists);
      continue;
    }
    const bool twice = std::any_of(wanted.begin(), wanted.end(),
                                   [&](const WantedBlob& blob) { return blob.digest == digest; });
    if (twice || content_.has(digest)) continue;
    tell(i, TransferEvent::waiting);
    wanted.push_back({digest, static_cast<uint64_t>(image_.layers[i].size)});
  }
  fetched_ = TRY(download_blobs(content_, registry_, image_.repository, wanted, observer_));
  return {};
}

Result<ImageFiles::Contents> RegistryFiles::blob(const std::string& name) {
  const Digest digest = TRY(digest_of(name));
  size_t number = 0;
  while (number < image_.layers.size() && (told_[number] || image_.layers[number].id() != digest)) ++number;
  if (number == image_.layers.size())
    return Error::of(ErrorKind::invalid, "the manifest has no layer %s", digest.text().c_str());
  tell_unpacked();
  Contents out;
  out.digest = digest;
  out.size = static_cast<uint64_t>(image_.layers[number].size);
  if (auto fetched = fetched_.extract(digest.hex())) {
    out.staged = std::move(fetched.mapped());
  } else if (!content_.has(digest)) {
    // Somebody has removed it since fetch_layers().
    tell(number, TransferEvent::waiting);
    out.staged = TRY(download_blob(content_, registry_, image_.repository, {digest, out.size}, observer_));
  }
  unpacking_ = number;
  tell(number, TransferEvent::unpacking);
  return out;
}

Result<Digest> RegistryFiles::tar_digest(const std::string& name) {
  return Error::of(ErrorKind::unsupported, "`%s`: a registry has no tars of layers", name.c_str());
}

Result<std::vector<std::string>> RegistryFiles::names() {
  return std::vector<std::string>();
}

}  // namespace slipway::manager
