#include "oci/descriptor.h"

#include <sys/utsname.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace slipway;
using oci::Descriptor, oci::Index, oci::Manifest, oci::Platform;

JSON_OBJECT(Platform, JSON_FIELD(Platform, architecture, "architecture"), JSON_FIELD(Platform, os, "os"),
            JSON_FIELD(Platform, os_version, "os.version"), JSON_FIELD(Platform, variant, "variant"),
            JSON_FIELD(Platform, os_features, "os.features"));
JSON_OBJECT(Descriptor, JSON_FIELD(Descriptor, media_type, "mediaType"),
            JSON_FIELD(Descriptor, digest, "digest"), JSON_FIELD(Descriptor, size, "size"),
            JSON_FIELD(Descriptor, urls, "urls"), JSON_FIELD(Descriptor, annotations, "annotations"),
            JSON_FIELD(Descriptor, platform, "platform"),
            JSON_FIELD(Descriptor, artifact_type, "artifactType"));
JSON_OBJECT(Manifest, JSON_FIELD(Manifest, schema_version, "schemaVersion"),
            JSON_FIELD(Manifest, media_type, "mediaType"),
            JSON_FIELD(Manifest, artifact_type, "artifactType"), JSON_FIELD(Manifest, config, "config"),
            JSON_FIELD(Manifest, layers, "layers"), JSON_FIELD(Manifest, annotations, "annotations"));
JSON_OBJECT(Index, JSON_FIELD(Index, schema_version, "schemaVersion"),
            JSON_FIELD(Index, media_type, "mediaType"), JSON_FIELD(Index, manifests, "manifests"),
            JSON_FIELD(Index, annotations, "annotations"));

namespace slipway::oci {

const json::Type kManifestType = json::type<Manifest>;
const json::Type kIndexType = json::type<Index>;

namespace {

/// Notes keys at the top of a document that its type does not have.
class TopLevelKeys final : public json::UnknownKeys {
 public:
  explicit TopLevelKeys(std::string_view forbidden) : forbidden_(forbidden) {}
  Status unknown_key(std::string_view place, std::string_view key) override {
    if (place.empty() && key == forbidden_)
      return Error::of(ErrorKind::invalid, "the document is a manifest and an index at once");
    return {};
  }

 private:
  std::string_view forbidden_;
};

Status check(const Descriptor& descriptor, const char* what) {
  TRY(Digest::parse(descriptor.digest).ctx("%s", what));
  if (descriptor.size < 0)
    return Error::of(ErrorKind::invalid, "%s: negative size %lld", what,
                     static_cast<long long>(descriptor.size));
  return {};
}

Status check_schema(int32_t version) {
  if (version == 2) return {};
  if (version == 1)
    return Error::of(ErrorKind::unsupported, "schema 1 manifests (Docker before 1.10) are not supported");
  return Error::of(ErrorKind::invalid, "schemaVersion is %d, not 2", version);
}

}  // namespace

Digest Descriptor::id() const {
  Result<Digest> parsed = Digest::parse(digest);
  return parsed.ok() ? *parsed : Digest{};
}

Result<Manifest*> parse_manifest(std::string_view text, Arena& arena) {
  TopLevelKeys keys("manifests");
  Manifest* manifest = TRY(json::read<Manifest>(text, kManifestType, arena, &keys).ctx("manifest"));
  TRY(check_schema(manifest->schema_version).ctx("manifest"));
  if (!manifest->media_type.empty() && !is_manifest(manifest->media_type))
    return Error::of(ErrorKind::invalid, "manifest: mediaType is `%s`", manifest->media_type.c_str());
  TRY(check(manifest->config, "manifest: config"));
  for (const Descriptor& layer : manifest->layers) TRY(check(layer, "manifest: layers"));
  return manifest;
}

Result<Index*> parse_index(std::string_view text, Arena& arena) {
  TopLevelKeys keys("layers");
  Index* index = TRY(json::read<Index>(text, kIndexType, arena, &keys).ctx("index"));
  TRY(check_schema(index->schema_version).ctx("index"));
  if (!index->media_type.empty() && !is_index(index->media_type))
    return Error::of(ErrorKind::invalid, "index: mediaType is `%s`", index->media_type.c_str());
  for (const Descriptor& manifest : index->manifests) TRY(check(manifest, "index: manifests"));
  return index;
}

bool is_index(std::string_view media_type) {
  return media_type == media::kIndex || media_type == media::kDockerList;
}

bool is_manifest(std::string_view media_type) {
  return media_type == media::kManifest || media_type == media::kDockerManifest;
}

bool is_layer(std::string_view media_type) {
  return media_type == media::kLayer || media_type == media::kLayerGzip || media_type == media::kLayerZstd ||
         media_type == media::kDockerLayer || media_type == media::kDockerLayerGzip ||
         media_type == "application/vnd.oci.image.layer.nondistributable.v1.tar" ||
         media_type == "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" ||
         media_type == "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd" ||
         media_type == "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" ||
         media_type == "application/vnd.docker.image.rootfs.diff.tar.zstd";
}

const char* host_architecture() {
#if defined(__x86_64__)
  return "amd64";
#elif defined(__aarch64__)
  return "arm64";
#elif defined(__i386__)
  return "386";
#elif defined(__arm__)
  return "arm";
#elif defined(__riscv)
  return "riscv64";
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  return "ppc64le";
#elif defined(__s390x__)
  return "s390x";
#elif defined(__loongarch64)
  return "loong64";
#elif defined(__mips64)
  return "mips64le";
#else
#error "no Go name is known for this architecture"
#endif
}

Result<PlatformChoice> PlatformChoice::parse(std::string_view text) {
  PlatformChoice choice;
  if (text.empty()) return choice;
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('/', at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  for (const std::string& part : parts)
    if (part.empty() || parts.size() > 3)
      return Error::of(ErrorKind::usage, "invalid platform `%.*s`: must be os/arch[/variant]",
                       static_cast<int>(text.size()), text.data());
  if (parts.size() == 1) {
    const bool is_os = parts[0] == "linux" || parts[0] == "windows" || parts[0] == "freebsd";
    (is_os ? choice.os : choice.architecture) = parts[0];
  } else {
    choice.os = parts[0];
    choice.architecture = parts[1];
    if (parts.size() == 3) choice.variant = parts[2];
  }
  if (choice.architecture == "x86_64") choice.architecture = "amd64";
  if (choice.architecture == "aarch64") choice.architecture = "arm64";
  return choice;
}

std::string PlatformChoice::text() const {
  return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

const Descriptor* choose_platform(const Index& index, const PlatformChoice& choice) {
  const Descriptor* found = nullptr;
  for (const Descriptor& entry : index.manifests) {
    if (!entry.platform) {
      // An index with one image need not say what it is for.
      if (index.manifests.size() == 1) return &entry;
      continue;
    }
    const std::string_view variant = entry.platform->variant;
    if (!(entry.platform->os == choice.os) || !(entry.platform->architecture == choice.architecture))
      continue;
    if (!choice.variant.empty()) {
      if (variant == choice.variant) return &entry;
      continue;
    }
    // Variants above the baseline (amd64 v2 and up) may use instructions that this machine lacks.
    if (variant.empty() || variant == "v1" || variant == "v8") return &entry;
    if (!found && choice.architecture == "arm") found = &entry;
  }
  return found;
}

}  // namespace slipway::oci
