// Bytes that come in pieces: a file, a pipe, what a decompressor makes of them.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

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

/// A source (borrowed) whose first piece can be looked at.
class PeekedSource final : public ByteSource {
 public:
  explicit PeekedSource(ByteSource& source) : source_(source) {}
  /// The first piece, which next() gives once more.
  Result<std::string_view> head() {
    if (head_.empty()) head_ = TRY(source_.next());
    return head_;
  }
  Result<std::string_view> next() override {
    if (head_.empty()) return source_.next();
    return std::exchange(head_, {});
  }

 private:
  ByteSource& source_;
  std::string_view head_;
};

}  // namespace slipway::oci
