// Records of images (images/<id>, one small file each) and their names (repositories/, one small file per
// reference). An image is there when its record is; it is written when all its layers and blobs are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci/content_store.h"
#include "oci/image_config.h"
#include "oci/reference.h"
#include "src/store/root.h"

namespace slipway::store {

/// What listing and running need, so that they read one file. The rest is in the config blob, sha256:<id>.
struct Image {
  Str id;             // 64 hex digits
  Str manifest;       // "sha256:…" in the content store
  Str manifest_type;  // its media type
  int64_t manifest_size = 0;
  Str parent;           // ID of the image that this one was committed on, "" when it came from elsewhere
  Str top;              // chain ID of the uppermost layer, "" for an image without layers
  int64_t size = 0;     // bytes of the files of all its layers
  int64_t created = 0;  // seconds since the epoch
  int64_t tagged = 0;   // when it last got a name, nanoseconds since the epoch
};

/// A name and the image it stands for.
struct Name {
  oci::Reference reference;
  std::string id;
};

class Images {
 public:
  static Result<Images> open(const Root& root);

  /// By full ID. Errors: not_found.
  Result<Image*> get(std::string_view id, Arena& arena) const;
  /// By whatever people write: name[:tag], name@digest, an ID or an unambiguous prefix of one, with or
  /// without "sha256:". Errors: not_found "No such image: X", invalid when a prefix fits several.
  Result<Image*> find(std::string_view text, Arena& arena) const;
  /// All, in no order.
  Result<List<Image>> list(Arena& arena) const;

  /// Writes the record, in the place of an older one. The caller holds `collect` (shared) and has checked
  /// that the layers and blobs are there.
  Status add(const Image& image) const;
  Status remove(std::string_view id) const;

  /// All names, sorted.
  Result<std::vector<Name>> names() const;
  std::optional<std::string> resolve(const oci::Reference& reference) const;
  /// Gives the image this name (reference has a tag or a digest), whoever had it before.
  Status tag(const oci::Reference& reference, std::string_view id) const;
  /// Errors: not_found.
  Status untag(const oci::Reference& reference) const;
  /// Removes what processes left that were killed while they wrote: temporary files, and directories of repositories
  /// without a name. Nobody else may be writing.
  Status sweep() const;

 private:
  Fd room_, names_;
};

/// The image's config from the content store, and its text.
Result<oci::ImageConfig*> read_config(const oci::ContentStore& content, std::string_view id, Arena& arena);
Result<std::string> read_config_text(const oci::ContentStore& content, std::string_view id);

}  // namespace slipway::store
