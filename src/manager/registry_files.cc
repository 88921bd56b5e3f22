#include "src/manager/registry_files.h"

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
      index_(index_of(image, names)) {}

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
  return text;
}

void RegistryFiles::tell_until(size_t layer) {
  for (; told_ < layer; ++told_) {
    const uint64_t size = static_cast<uint64_t>(image_.layers[told_].size);
    observer_.layer(image_.layers[told_].id().brief(),
                    unpacking_ ? TransferEvent::unpacked : TransferEvent::exists, size, size);
    unpacking_ = false;
  }
}

void RegistryFiles::finish() {
  tell_until(image_.layers.size());
}

Result<oci::BlobWriter> RegistryFiles::fetch(const oci::Descriptor& layer) {
  const Digest digest = layer.id();
  const auto size = static_cast<uint64_t>(layer.size);
  oci::BlobWriter writer = TRY(content_.begin());
  observer_.layer(digest.brief(), TransferEvent::waiting, 0, size);
  TRY(registry_
          .blob(image_.repository, digest, size,
                [&](uint64_t at, std::string_view piece) {
                  observer_.layer(digest.brief(), TransferEvent::moving, at + piece.size(), size);
                  return writer.write(piece);
                })
          .ctx("layer %.19s", digest.text().c_str()));
  if (writer.seal() != digest)
    return Error::of(ErrorKind::invalid, "filesystem layer verification failed for digest %s",
                     digest.text().c_str());
  observer_.layer(digest.brief(), TransferEvent::arrived, size, size);
  return writer;
}

Result<ImageFiles::Contents> RegistryFiles::blob(const std::string& name) {
  const Digest digest = TRY(digest_of(name));
  size_t number = told_;
  while (number < image_.layers.size() && image_.layers[number].id() != digest) ++number;
  if (number == image_.layers.size())
    return Error::of(ErrorKind::invalid, "the manifest has no layer %s", digest.text().c_str());
  tell_until(number);
  unpacking_ = true;
  Contents out;
  out.digest = digest;
  out.size = static_cast<uint64_t>(image_.layers[number].size);
  if (content_.has(digest)) return out;
  out.staged = TRY(fetch(image_.layers[number]));
  return out;
}

Result<Digest> RegistryFiles::tar_digest(const std::string& name) {
  return Error::of(ErrorKind::unsupported, "`%s`: a registry has no tars of layers", name.c_str());
}

Result<std::vector<std::string>> RegistryFiles::names() {
  return std::vector<std::string>();
}

}  // namespace slipway::manager
