// A layer's blob on its way to be unpacked: read, hashed, kept and decompressed on a thread of its own, while
// the caller unpacks what has come out. Two cores are busy, and each byte is touched once.
#pragma once

#include <cstdint>
#include <memory>

#include "oci/archive.h"
#include "oci/byte_stream.h"
#include "oci/content_store.h"
#include "src/base/digest.h"

namespace slipway::oci {

struct LayerSums {
  Compression compression = Compression::none;
  Digest blob;     // of the bytes as they came
  Digest diff_id;  // of the tar
  uint64_t blob_size = 0;
  uint64_t tar_size = 0;
};

struct LayerStreamOptions {
  BlobWriter* copy = nullptr;  // keeps the bytes as they came; sealed with their digest by finish()
  Digest known;  // the digest of the bytes, when they come from the content store: not hashed again
};

class LayerStream final : public ByteSource {
 public:
  /// The source is used by the thread until finish() or the end of this.
  static Result<std::unique_ptr<LayerStream>> open(ByteSource& source, const LayerStreamOptions& options);
  ~LayerStream() override;

  /// The next piece of the uncompressed tar.
  Result<std::string_view> next() override;
  /// Reads what is left (a tar's padding belongs to its digest) and ends the thread.
  Result<LayerSums> finish();

 private:
  class Worker;
  explicit LayerStream(std::unique_ptr<Worker> worker);
  std::unique_ptr<Worker> worker_;
};

}  // namespace slipway::oci
