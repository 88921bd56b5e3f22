#include "src/base/protobuf.h"

namespace slipway::protobuf {

namespace {

// The low three bits in front of a field: how its value is written.
constexpr uint64_t kVarint = 0, kFixed64 = 1, kSized = 2, kFixed32 = 5;

}  // namespace

void Writer::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
  bytes_ += static_cast<char>(value);
}

Writer& Writer::number(uint32_t field, int64_t value) {
  varint(static_cast<uint64_t>(field) << 3 | kVarint);
  varint(static_cast<uint64_t>(value));
  return *this;
}

Writer& Writer::text(uint32_t field, std::string_view value) {
  varint(static_cast<uint64_t>(field) << 3 | kSized);
  varint(value.size());
  bytes_ += value;
  return *this;
}

bool Reader::varint(uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool Reader::bytes(uint64_t size, std::string_view& value) {
  if (size > rest_.size()) return false;
  value = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

bool Reader::next() {
  number_ = 0;
  text_ = {};
  uint64_t key;
  uint64_t size;
  if (!varint(key)) return false;
  field_ = static_cast<uint32_t>(key >> 3);
  switch (key & 7) {
    case kVarint:
      return varint(number_);
    case kSized:
      return varint(size) && bytes(size, text_);
    case kFixed64:
      return bytes(8, text_);
    case kFixed32:
      return bytes(4, text_);
    default:
      return false;
  }
}

}  // namespace slipway::protobuf
