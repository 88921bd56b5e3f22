// D-Bus wire format.
#include <cstring>

#include "src/sys/dbus.h"

namespace slipway::sys {
namespace {

constexpr size_t kMaxMessage = 16 * 1024 * 1024;
constexpr uint8_t kNoReply = 1;

// Header fields, and the one type each may have.
enum Field : uint8_t {
  kPath = 1,
  kInterface = 2,
  kMember = 3,
  kErrorName = 4,
  kReplySerial = 5,
  kDestination = 6,
  kSignature = 8,
};

size_t padded(size_t size, size_t boundary) {
  return (size + boundary - 1) / boundary * boundary;
}

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
// Deduced without help by g++ and by clang 17.
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

const char* dbus_signature(const DbusValue& value) {
  static constexpr const char* kSignatures[] = {"b", "y",  "i",  "u",  "x",  "t",    "d",
                                                "s", "as", "au", "at", "ay", "a(ss)"};
  static_assert(std::size(kSignatures) == std::variant_size_v<DbusValue>);
  return kSignatures[value.index()];
}

// --- writing ----------------------------------------------------------------------------------------------

void DbusWriter::align(size_t boundary) {
  out_.resize(padded(out_.size(), boundary), '\0');
}

void DbusWriter::u32(uint32_t value) {
  align(4);
  for (int shift = 0; shift < 32; shift += 8) byte(static_cast<uint8_t>(value >> shift));
}

void DbusWriter::u64(uint64_t value) {
  align(8);
  for (int shift = 0; shift < 64; shift += 8) byte(static_cast<uint8_t>(value >> shift));
}

void DbusWriter::real(double value) {
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  u64(bits);
}

void DbusWriter::string(std::string_view value) {
  u32(static_cast<uint32_t>(value.size()));
  out_ += value;
  out_ += '\0';
}

void DbusWriter::signature(std::string_view value) {
  byte(static_cast<uint8_t>(value.size()));
  out_ += value;
  out_ += '\0';
}

DbusWriter::Array DbusWriter::begin_array(size_t alignment) {
  u32(0);
  Array array{out_.size() - 4, 0};
  align(alignment);
  array.begin = out_.size();
  return array;
}

void DbusWriter::end_array(Array array) {
  const auto size = static_cast<uint32_t>(out_.size() - array.begin);
  for (size_t i = 0; i < 4; ++i) out_[array.length_at + i] = static_cast<char>(size >> (8 * i));
}

void DbusWriter::value(const DbusValue& value) {
  const auto numbers = [this](const auto& list, size_t alignment, auto put) {
    const Array array = begin_array(alignment);
    for (const auto& item : list) put(item);
    end_array(array);
  };
  std::visit(Overloaded{
                 [&](bool v) { boolean(v); },
                 [&](uint8_t v) { byte(v); },
                 [&](int32_t v) { u32(static_cast<uint32_t>(v)); },
                 [&](uint32_t v) { u32(v); },
                 [&](int64_t v) { u64(static_cast<uint64_t>(v)); },
                 [&](uint64_t v) { u64(v); },
                 [&](double v) { real(v); },
                 [&](const std::string& v) { string(v); },
                 [&](const std::vector<std::string>& v) {
                   numbers(v, 4, [&](const std::string& item) { string(item); });
                 },
                 [&](const std::vector<uint32_t>& v) { numbers(v, 4, [&](uint32_t item) { u32(item); }); },
                 [&](const std::vector<uint64_t>& v) { numbers(v, 8, [&](uint64_t item) { u64(item); }); },
                 [&](const std::vector<uint8_t>& v) { numbers(v, 1, [&](uint8_t item) { byte(item); }); },
                 [&](const std::vector<std::pair<std::string, std::string>>& v) {
                   numbers(v, 8, [&](const auto& item) {
                     align(8);
                     string(item.first);
                     string(item.second);
                   });
                 },
             },
             value);
}

void DbusWriter::variant(const DbusValue& v) {
  signature(dbus_signature(v));
  value(v);
}

void DbusWriter::properties(const std::vector<DbusProperty>& properties) {
  const Array array = begin_array(8);
  for (const auto& [name, v] : properties) {
    align(8);
    string(name);
    variant(v);
  }
  end_array(array);
}

// --- reading ----------------------------------------------------------------------------------------------

std::string_view DbusReader::take(size_t size) {
  if (!ok_ || size > data_.size() - at_) {
    ok_ = false;
    return {};
  }
  const std::string_view piece = data_.substr(at_, size);
  at_ += size;
  return piece;
}

void DbusReader::align(size_t boundary) {
  take(padded(at_, boundary) - at_);
}

uint64_t DbusReader::number(size_t size) {
  align(size);
  uint64_t value = 0;
  const std::string_view piece = take(size);
  for (size_t i = 0; i < piece.size(); ++i) {
    const size_t shift = 8 * (big_endian_ ? piece.size() - 1 - i : i);
    value |= static_cast<uint64_t>(static_cast<uint8_t>(piece[i])) << shift;
  }
  return value;
}

uint8_t DbusReader::byte() {
  return static_cast<uint8_t>(number(1));
}
uint32_t DbusReader::u32() {
  return static_cast<uint32_t>(number(4));
}
uint64_t DbusReader::u64() {
  return number(8);
}

std::string_view DbusReader::string() {
  const uint32_t size = u32();
  const std::string_view text = take(size);
  const std::string_view end = take(1);
  if (!ok_ || end[0] != '\0' || text.find('\0') != std::string_view::npos) {
    ok_ = false;
    return {};
  }
  return text;
}

std::string_view DbusReader::signature() {
  const uint8_t size = byte();
  const std::string_view text = take(size);
  const std::string_view end = take(1);
  if (!ok_ || end[0] != '\0') {
    ok_ = false;
    return {};
  }
  return text;
}

// --- messages ---------------------------------------------------------------------------------------------

size_t dbus_message_size(std::string_view head) {
  if (head.size() < 16 || (head[0] != 'l' && head[0] != 'B') || head[3] != 1) return 0;
  DbusReader reader(head.substr(0, 16), head[0] == 'B');
  reader.u32();
  const size_t body = reader.u32();
  reader.u32();
  const size_t fields = reader.u32();
  if (body > kMaxMessage || fields > kMaxMessage) return 0;
  const size_t size = padded(16 + fields, 8) + body;
  return size <= kMaxMessage ? size : 0;
}

Result<DbusMessage> parse_dbus_message(std::string_view data) {
  const size_t size = dbus_message_size(data);
  if (size == 0 || size > data.size()) return Error::of(ErrorKind::invalid, "D-Bus: broken message");
  DbusMessage message;
  message.big_endian = data[0] == 'B';
  message.type = static_cast<uint8_t>(data[1]);
  DbusReader reader(data.substr(0, size), message.big_endian);
  reader.u32();
  const size_t body = reader.u32();
  message.serial = reader.u32();
  const size_t fields_end = 16 + reader.u32();
  while (reader.ok() && reader.at() < fields_end) {
    reader.align(8);
    const uint8_t field = reader.byte();
    const std::string_view type = reader.signature();
    if (type == "s" || type == "o") {
      const std::string_view text = reader.string();
      if (field == kPath) message.path = text;
      if (field == kInterface) message.interface = text;
      if (field == kMember) message.member = text;
      if (field == kErrorName) message.error_name = text;
    } else if (type == "g") {
      const std::string_view text = reader.signature();
      if (field == kSignature) message.signature = text;
    } else if (type == "u") {
      const uint32_t number = reader.u32();
      if (field == kReplySerial) message.reply_serial = number;
    } else {
      reader.fail();
    }
  }
  if (!reader.ok() || reader.at() != fields_end)
    return Error::of(ErrorKind::invalid, "D-Bus: broken message");
  message.body = data.substr(size - body, body);
  return message;
}

std::string build_dbus_call(uint32_t serial, bool no_reply, const char* destination, const char* path,
                            const char* interface, const char* member, std::string_view signature,
                            std::string_view body) {
  DbusWriter head;
  head.byte('l');
  head.byte(DbusMessage::call);
  head.byte(no_reply ? kNoReply : 0);
  head.byte(1);
  head.u32(static_cast<uint32_t>(body.size()));
  head.u32(serial);
  const DbusWriter::Array fields = head.begin_array(8);
  const auto field = [&](Field number, const char* type, std::string_view text) {
    head.align(8);
    head.byte(number);
    head.signature(type);
    if (*type == 'g')
      head.signature(text);
    else
      head.string(text);
  };
  field(kPath, "o", path);
  field(kInterface, "s", interface);
  field(kMember, "s", member);
  field(kDestination, "s", destination);
  if (!signature.empty()) field(kSignature, "g", signature);
  head.end_array(fields);
  head.align(8);
  return head.data() + std::string(body);
}

}  // namespace slipway::sys
