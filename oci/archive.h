// Tar archives and compressed streams, read with libarchive, which is loaded when it is first needed.
//
// Tar: ustar, PAX, GNU and its sparse formats, star. Compression: gzip, bzip2, xz, zstd, decoded inside the
// process; libarchive's fallback of running an external program is never used (CVE-2014-9357).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oci/byte_stream.h"

namespace slipway::oci {

enum class Compression : uint8_t { none, gzip, bzip2, xz, zstd };

/// By the first bytes (six are enough).
Compression compression_of(std::string_view head);
const char* compression_name(Compression compression);

/// One entry. Names are bytes, as they stand in the archive.
struct TarEntry {
  enum class Type : uint8_t { regular, hard_link, directory, symlink, character, block, fifo, other };

  std::string path;
  Type type = Type::regular;
  std::string link;  // hard_link, symlink: the target
  mode_t mode = 0;   // permission bits
  uint32_t uid = 0, gid = 0;
  int64_t size = 0;  // regular
  dev_t device = 0;  // character, block
  timespec mtime{};
  /// With the archive's POSIX ACLs among them, as system.posix_acl_access and _default.
  std::vector<std::pair<std::string, std::string>> xattrs;
};

/// Reads a tar archive that is not compressed. The source must outlive the reader.
class TarReader {
 public:
  static Result<TarReader> open(ByteSource& source);
  TarReader(TarReader&&) noexcept;
  TarReader& operator=(TarReader&&) noexcept;
  ~TarReader();

  /// Goes on to the next entry; null at the end of the archive. Valid until the next call. What follows the
  /// end of the archive is left in the source. Errors: invalid.
  Result<const TarEntry*> next();

  /// The next piece of the entry's data: `data` at `offset` in the file; holes are not given. false at its end.
  struct Piece {
    std::string_view data;
    int64_t offset = 0;
  };
  Result<bool> data(Piece* piece);

 private:
  struct State;
  explicit TarReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The bytes behind a compressed stream. The source must outlive it. Errors: invalid.
class Decompressor final : public ByteSource {
 public:
  static Result<std::unique_ptr<Decompressor>> open(ByteSource& source, Compression compression);
  ~Decompressor() override;
  Result<std::string_view> next() override;

 private:
  struct State;
  explicit Decompressor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::oci
