// Records of layers: graph/<chain-id>/json. The trees themselves are in the driver under the same name.
//
// A layer is there when its record is: the record is written last and removed first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/json.h"
#include "src/store/root.h"

namespace slipway::store {

/// Chain IDs are 64 hex digits; digests of blobs "sha256:…".
struct Layer {
  Str id;
  Str parent;   // "" for none
  Str diff_id;  // "sha256:…" of the uncompressed tar
  Str blob;     // its digest as it is in the content store
  Str media_type;
  int64_t blob_size = 0;
  int64_t tar_size = 0;  // bytes of the uncompressed tar
  int64_t size = 0;      // bytes of the files in the layer, as `history` shows them
  Str created, created_by, author;
};

class Layers {
 public:
  static Result<Layers> open(const Root& root);

  /// Errors: not_found.
  Result<Layer*> get(std::string_view id, Arena& arena) const;
  bool has(std::string_view id) const;
  /// One rename; an existing record is left as it is.
  Status add(const Layer& layer) const;
  Status remove(std::string_view id) const;
  Result<std::vector<std::string>> list() const;

 private:
  Fd room_;
};

}  // namespace slipway::store
