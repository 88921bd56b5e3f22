#include "src/base/digest.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "src/base/shared_library.h"

namespace slipway {

namespace {

constexpr char kPrefix[] = "sha256:";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// FIPS 180-4, in portable code.
class Portable {
 public:
  void update(const uint8_t* data, size_t size) {
    if (size == 0) return;  // data may be null then
    total_ += size;
    if (held_ > 0) {
      const size_t take = std::min(size, sizeof block_ - held_);
      memcpy(block_ + held_, data, take);
      held_ += take;
      data += take;
      size -= take;
      if (held_ < sizeof block_) return;
      compress(block_);
      held_ = 0;
    }
    for (; size >= sizeof block_; data += sizeof block_, size -= sizeof block_) compress(data);
    memcpy(block_, data, size);
    held_ = size;
  }

  Digest finish() {
    const uint64_t bits = total_ * 8;
    const uint8_t one = 0x80;
    const uint8_t zeros[sizeof block_] = {};
    update(&one, 1);
    update(zeros, (sizeof block_ + 56 - held_) % sizeof block_);
    uint8_t length[8];
    for (int i = 0; i < 8; ++i) length[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
    update(length, sizeof length);
    Digest digest;
    for (size_t i = 0; i < 32; ++i)
      digest.bytes[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
  }

 private:
  void compress(const uint8_t* block) {
    uint32_t w[64];
    for (int i = 0; i < 16; ++i)
      w[i] = uint32_t{block[4 * i]} << 24 | uint32_t{block[4 * i + 1]} << 16 |
             uint32_t{block[4 * i + 2]} << 8 | uint32_t{block[4 * i + 3]};
    for (int i = 16; i < 64; ++i) {
      const uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ w[i - 15] >> 3;
      const uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ w[i - 2] >> 10;
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t s[8];
    memcpy(s, state_, sizeof s);
    for (int i = 0; i < 64; ++i) {
      const uint32_t e = std::rotr(s[4], 6) ^ std::rotr(s[4], 11) ^ std::rotr(s[4], 25);
      const uint32_t t1 = s[7] + e + ((s[4] & s[5]) ^ (~s[4] & s[6])) + kRound[i] + w[i];
      const uint32_t a = std::rotr(s[0], 2) ^ std::rotr(s[0], 13) ^ std::rotr(s[0], 22);
      const uint32_t t2 = a + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
      memmove(s + 1, s, 7 * sizeof *s);
      s[4] += t1;
      s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; ++i) state_[i] += s[i];
  }

  uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint8_t block_[64];
  size_t held_ = 0;
  uint64_t total_ = 0;
};

/// The part of libcrypto's EVP interface that is used; opaque types as void.
struct Crypto {
  void* (*ctx_new)();
  void (*ctx_free)(void*);
  const void* (*sha256)();
  int (*init)(void*, const void*, void*);
  int (*update)(void*, const void*, size_t);
  int (*final)(void*, unsigned char*, unsigned*);

  /// null where libcrypto is not installed. 3 is the library of OpenSSL 3, 1.1 its predecessor.
  static const Crypto* get() {
    static const Crypto* const loaded = load();
    return loaded;
  }

 private:
  static const Crypto* load() {
    static Crypto crypto;
    SharedLibrary file({"libcrypto.so.3", "libcrypto.so.1.1"});
    file.find("EVP_MD_CTX_new", crypto.ctx_new);
    file.find("EVP_MD_CTX_free", crypto.ctx_free);
    file.find("EVP_sha256", crypto.sha256);
    file.find("EVP_DigestInit_ex", crypto.init);
    file.find("EVP_DigestUpdate", crypto.update);
    file.find("EVP_DigestFinal_ex", crypto.final);
    return file.complete() ? &crypto : nullptr;
  }
};

}  // namespace

Result<Digest> Digest::from_hex(std::string_view hex) {
  Digest digest;
  if (hex.size() != 2 * digest.bytes.size() || !is_hex(hex))
    return Error::of(ErrorKind::invalid, "`%.*s` is not 64 lower-case hex digits",
                     static_cast<int>(std::min<size_t>(hex.size(), 100)), hex.data());
  for (size_t i = 0; i < digest.bytes.size(); ++i)
    digest.bytes[i] = static_cast<uint8_t>(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
  // It stands for "none" in this program; nobody has the data to it.
  if (!digest) return Error::of(ErrorKind::invalid, "a digest of zeros alone is none");
  return digest;
}

Result<Digest> Digest::parse(std::string_view text) {
  const int shown = static_cast<int>(std::min<size_t>(text.size(), 100));
  if (text.starts_with("sha512:"))
    return Error::of(ErrorKind::unsupported, "digest `%.*s`: only sha256 is supported", shown, text.data());
  if (!text.starts_with(kPrefix))
    return Error::of(ErrorKind::invalid, "digest `%.*s`: not of the form sha256:<64 hex digits>", shown,
                     text.data());
  return from_hex(text.substr(strlen(kPrefix))).ctx("digest");
}

std::string Digest::hex() const {
  std::string out(2 * bytes.size(), '0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
  return out;
}

std::string Digest::text() const {
  return kPrefix + hex();
}
std::string Digest::brief() const {
  return hex().substr(0, 12);
}

bool is_hex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return hex_value(c) >= 0; });
}

Digest sha256(std::string_view text) {
  Portable hash;
  hash.update(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  return hash.finish();
}

struct Sha256::State {
  const Crypto* crypto = Crypto::get();
  void* context = nullptr;
  Portable portable;

  State() {
    if (!crypto) return;
    context = crypto->ctx_new();
    if (context && crypto->init(context, crypto->sha256(), nullptr) == 1) return;
    // A libcrypto that refuses SHA-256 (some FIPS set-ups): the portable code does as well.
    if (context) crypto->ctx_free(context);
    context = nullptr;
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (context) crypto->ctx_free(context);
  }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(const void* data, size_t size) {
  if (state_->context) {
    state_->crypto->update(state_->context, data, size);
  } else {
    state_->portable.update(static_cast<const uint8_t*>(data), size);
  }
}

Digest Sha256::finish() {
  if (!state_->context) return state_->portable.finish();
  Digest digest;
  unsigned length = 0;
  state_->crypto->final(state_->context, digest.bytes.data(), &length);
  return digest;
}

}  // namespace slipway
