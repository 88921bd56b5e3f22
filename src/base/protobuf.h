// The wire format of Protocol Buffers, as far as one needs it to speak a small protocol without a compiler of schemas:
// whole numbers, texts and messages. Fields are named by their numbers; repeated ones are simply written again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::protobuf {

/// Writes the fields of one message.
class Writer {
 public:
  /// int32, int64, uint32, uint64, bool and enum.
  Writer& number(uint32_t field, int64_t value);
  /// string and bytes.
  Writer& text(uint32_t field, std::string_view value);
  Writer& message(uint32_t field, const Writer& value) { return text(field, value.bytes_); }

  const std::string& bytes() const { return bytes_; }

 private:
  void varint(uint64_t value);
  std::string bytes_;
};

/// Reads the fields of one message, in the order in which they were written. The text must outlive it.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  /// Goes to the next field; false at the end, and where the bytes are no message.
  bool next();
  /// Of the present field. number() of a text and text() of a number are 0 and "".
  uint32_t field() const { return field_; }
  int64_t number() const { return static_cast<int64_t>(number_); }
  std::string_view text() const { return text_; }

 private:
  bool varint(uint64_t& value);
  bool bytes(uint64_t size, std::string_view& value);

  std::string_view rest_;
  uint32_t field_ = 0;
  uint64_t number_ = 0;
  std::string_view text_;
};

}  // namespace slipway::protobuf
