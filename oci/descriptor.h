// image-spec 1.1: descriptors, manifests and indexes, and Docker's documents of the same shape.
//
// Everything that is parsed lives in the Arena it was read into. Documents are hostile: the caller bounds
// their length by kDocumentLimit, digests are checked here, and sizes are never negative.
#pragma once

#include <string>
#include <string_view>

#include "src/base/digest.h"
#include "src/base/json.h"

namespace slipway::oci {

/// Manifests, indexes and configs may not be larger (what registries and other tools accept; CVE-2023-25153).
inline constexpr size_t kDocumentLimit = 4 << 20;

namespace media {
inline constexpr char kIndex[] = "application/vnd.oci.image.index.v1+json";
inline constexpr char kManifest[] = "application/vnd.oci.image.manifest.v1+json";
inline constexpr char kConfig[] = "application/vnd.oci.image.config.v1+json";
inline constexpr char kLayer[] = "application/vnd.oci.image.layer.v1.tar";
inline constexpr char kLayerGzip[] = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr char kLayerZstd[] = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr char kDockerManifest[] = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr char kDockerList[] = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr char kDockerConfig[] = "application/vnd.docker.container.image.v1+json";
inline constexpr char kDockerLayer[] = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr char kDockerLayerGzip[] = "application/vnd.docker.image.rootfs.diff.tar.gzip";
}  // namespace media

inline constexpr char kRefNameAnnotation[] = "org.opencontainers.image.ref.name";
inline constexpr char kImageNameAnnotation[] = "io.containerd.image.name";

struct Platform {
  Str architecture, os, os_version, variant;
  List<Str> os_features;
};

struct Descriptor {
  Str media_type;
  Str digest;  // checked: Digest::parse accepts it
  int64_t size = 0;
  List<Str> urls;
  Map<Str> annotations;
  Platform* platform = nullptr;
  Str artifact_type;

  Digest id() const;
};

struct Manifest {
  int32_t schema_version = 0;
  Str media_type;
  Str artifact_type;
  Descriptor config;
  List<Descriptor> layers;
  Map<Str> annotations;
};

struct Index {
  int32_t schema_version = 0;
  Str media_type;
  List<Descriptor> manifests;
  Map<Str> annotations;
};

extern const json::Type kManifestType, kIndexType;

/// A document that is a manifest and an index at once is refused (CVE-2021-41190).
Result<Manifest*> parse_manifest(std::string_view text, Arena& arena);
Result<Index*> parse_index(std::string_view text, Arena& arena);

bool is_index(std::string_view media_type);
bool is_manifest(std::string_view media_type);
/// A layer of any compression that this program can unpack.
bool is_layer(std::string_view media_type);

/// Go's name of this machine's architecture: amd64, arm64, ...
const char* host_architecture();

/// Which image of an index is wanted.
struct PlatformChoice {
  std::string os = "linux", architecture = host_architecture(), variant;

  /// "os/arch[/variant]", or one word that is either, or "".
  static Result<PlatformChoice> parse(std::string_view text);
  std::string text() const;
};

/// The entry for this platform, with the closest variant. null when there is none.
const Descriptor* choose_platform(const Index& index, const PlatformChoice& choice = {});

}  // namespace slipway::oci
