// Blobs by digest, kept as they came, in an OCI image layout that other tools can read in place:
//
//   content/oci-layout  content/index.json  content/blobs/sha256/<hex>
//
// A blob exists when its name does: it is written under no name (O_TMPFILE) or in tmp/, made durable, and
// then linked. So a crash leaves nothing, and readers take no lock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/digest.h"
#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::oci {

/// A blob that is being written. Dropped uncommitted, it leaves nothing.
class BlobWriter {
 public:
  Status write(const void* data, size_t size);
  Status write(std::string_view text) { return write(text.data(), text.size()); }
  uint64_t size() const { return size_; }
  /// The file as written so far, readable and seekable; borrowed.
  int fd() const { return fd_.get(); }
  /// For a caller that hashes the bytes on another thread: write() then does not.
  void hash_elsewhere() { hashing_ = false; }
  /// Ends the writing; the digest of everything.
  Digest seal();
  /// The digest that the caller computed.
  void seal(const Digest& digest) { digest_ = digest; }
  const Digest& digest() const { return digest_; }

  BlobWriter(BlobWriter&&) noexcept;
  BlobWriter& operator=(BlobWriter&&) noexcept;
  ~BlobWriter();

 private:
  friend class ContentStore;
  BlobWriter() = default;

  Fd fd_;
  Fd room_;           // where `name_` is
  std::string name_;  // "" for a file without a name
  Sha256 hash_;
  Digest digest_;
  uint64_t size_ = 0;
  bool hashing_ = true;
};

struct Blob {
  Digest digest;
  uint64_t size = 0;
};

class ContentStore {
 public:
  /// Opens the layout in `path`, making what is missing. Two processes may do so at once.
  static Result<ContentStore> open(const std::string& path);

  const std::string& path() const { return path_; }

  Result<BlobWriter> begin() const;
  /// Publishes sealed blobs: one syncfs for all of them, then their names. Those that exist are dropped.
  Status commit(std::vector<BlobWriter> blobs) const;
  /// A small document; durable when it returns.
  Result<Blob> put(std::string_view text) const;

  bool has(const Digest& digest) const;
  /// Errors: not_found.
  Result<Fd> open_blob(const Digest& digest) const;
  Result<uint64_t> size(const Digest& digest) const;
  /// A document, checked against its digest. Errors: not_found, invalid (too long, or not these bytes).
  Result<std::string> read(const Digest& digest, size_t limit) const;
  /// Removing what is not there is no error.
  Status remove(const Digest& digest) const;
  Result<std::vector<Digest>> list() const;
  /// Reads the whole blob. ErrorKind::invalid when its bytes are not those of its name.
  Status verify(const Digest& digest) const;

  /// Replaces index.json (content_index.cc): a manifest once for every name that it has (a full reference, or "").
  struct Named {
    Digest manifest;
    std::string media_type;
    uint64_t size = 0;
    std::string name;
  };
  Status write_index(const std::vector<Named>& images) const;
  /// Puts one image into index.json, under these names (all entries have the same manifest) and the ones that it has
  /// there; an image that has lost its last name to it stays without one. False: index.json is not as write_index()
  /// writes it, and nothing was done.
  Result<bool> add_to_index(const std::vector<Named>& image) const;
  /// Takes names and manifests out; what has lost its last name stays without one. False: as above.
  Result<bool> remove_from_index(const std::vector<std::string>& names,
                                 const std::vector<Digest>& manifests) const;

 private:
  std::string path_;
  Fd dir_, blobs_;
};

}  // namespace slipway::oci
