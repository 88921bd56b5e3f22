// Bytes that come in pieces: a file, a pipe, what a decompressor makes of them.
#pragma once

#include <memory>
#include <string_view>

#include "src/base/result.h"

namespace slipway::oci {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// The next piece, which stays valid until the next call; empty at the end.
  virtual Result<std::string_view> next() = 0;
};

/// What a descriptor (borrowed) gives, from where it stands, in large pieces.
class FdSource final : public ByteSource {
 public:
  explicit FdSource(int fd);
  ~FdSource() override;
  Result<std::string_view> next() override;

 private:
  int fd_;
  std::unique_ptr<char[]> buffer_;
};

/// A text in memory, as one piece.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string_view text) : text_(text) {}
  Result<std::string_view> next() override {
    const std::string_view all = text_;
    text_ = {};
    return all;
  }

 private:
  std::string_view text_;
};

}  // namespace slipway::oci
