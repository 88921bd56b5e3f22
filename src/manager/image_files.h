// The files of an image archive (docker-archive, oci-archive) or of an OCI image directory.
//
// An archive is read once, from a pipe too: small files stay in memory, large ones become blobs that are
// hashed and not yet published. Names are cleaned; links inside the archive are followed by name.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oci/byte_stream.h"
#include "oci/content_store.h"

namespace slipway::manager {

class ImageFiles {
 public:
  virtual ~ImageFiles() = default;
  /// A document; nothing when there is no such file. Errors: invalid when it is too large for one.
  virtual Result<std::optional<std::string>> text(const std::string& name) = 0;
  /// A file on its way into the content store: sealed, not published. May be asked for once per file; a blob
  /// that the store has is nothing. Errors: invalid when there is no such file.
  struct Contents {
    Digest digest;
    uint64_t size = 0;
    std::optional<oci::BlobWriter> staged;  // nothing: it is in the store
  };
  virtual Result<Contents> blob(const std::string& name) = 0;
  /// The digest of a layer's tar, behind its compression. Before blob() is asked for it.
  virtual Result<Digest> tar_digest(const std::string& name) = 0;
  /// The names of all files and links; of a directory none.
  virtual Result<std::vector<std::string>> names() = 0;
};

/// Reads the whole archive, which may be compressed.
Result<std::unique_ptr<ImageFiles>> read_image_archive(const oci::ContentStore& content,
                                                       oci::ByteSource& source);
/// `dir` is borrowed.
std::unique_ptr<ImageFiles> open_image_directory(const oci::ContentStore& content, int dir);

}  // namespace slipway::manager
