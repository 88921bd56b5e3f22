// SHA-256 digests, as OCI writes them: "sha256:" and 64 lower-case hex digits.
//
// Short texts (JSON documents, chain IDs) are hashed by a portable implementation, so that a command which
// reads a store loads no library. Streams go through libcrypto, which uses the CPU's instructions; where it
// is not installed they go through the portable code too, six times slower.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace slipway {

/// A SHA-256 digest. All zero means none.
struct Digest {
  std::array<uint8_t, 32> bytes{};

  /// "sha256:<64 hex>". Any other algorithm is ErrorKind::unsupported; all else that is not exactly this form
  /// is ErrorKind::invalid (CVE-2024-3727: a digest becomes a file name).
  static Result<Digest> parse(std::string_view text);
  /// 64 lower-case hex digits.
  static Result<Digest> from_hex(std::string_view hex);

  std::string hex() const;
  std::string text() const;  // "sha256:…"
  /// The first 12 hex digits, as people see IDs.
  std::string brief() const;
  explicit operator bool() const { return *this != Digest{}; }
  auto operator<=>(const Digest&) const = default;
};

/// Whether the text is nothing but lower-case hex digits, and not empty.
bool is_hex(std::string_view text);

/// The digest of a text in memory.
Digest sha256(std::string_view text);

/// The digest of a stream, in one pass. Not for two threads at once.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();

  void update(const void* data, size_t size);
  /// Ends the stream; call it once.
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway
