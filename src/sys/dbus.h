// A D-Bus client that is as large as a runtime needs: calls over a UNIX socket, and waiting for a signal.
// D-Bus specification 0.41, sections 3 to 5.
//
// Talks to systemd's private socket where it may (root): no bus daemon is between, no Hello, no match rules.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::sys {

/// A value with its D-Bus type, as it goes into a variant.
using DbusValue = std::variant<bool,                                               // b
                               uint8_t,                                            // y
                               int32_t,                                            // i
                               uint32_t,                                           // u
                               int64_t,                                            // x
                               uint64_t,                                           // t
                               double,                                             // d
                               std::string,                                        // s
                               std::vector<std::string>,                           // as
                               std::vector<uint32_t>,                              // au
                               std::vector<uint64_t>,                              // at
                               std::vector<uint8_t>,                               // ay
                               std::vector<std::pair<std::string, std::string>>>;  // a(ss)
const char* dbus_signature(const DbusValue& value);

using DbusProperty = std::pair<std::string, DbusValue>;

/// Appends values in little-endian wire format. Alignment counts from the beginning of the buffer, so a body
/// begins in a buffer of its own.
class DbusWriter {
 public:
  void byte(uint8_t value) { out_ += static_cast<char>(value); }
  void boolean(bool value) { u32(value); }
  void u32(uint32_t value);
  void u64(uint64_t value);
  void real(double value);
  /// Also object paths.
  void string(std::string_view value);
  void signature(std::string_view value);
  void variant(const DbusValue& value);
  /// a(sv): what units' properties are.
  void properties(const std::vector<DbusProperty>& properties);
  void align(size_t boundary);

  const std::string& data() const { return out_; }
  size_t size() const { return out_.size(); }
  /// An array: its length, which does not count the padding before the first element, is filled in by
  /// end_array(). `alignment` is that of its elements.
  struct Array {
    size_t length_at, begin;
  };
  Array begin_array(size_t alignment);
  void end_array(Array array);

 private:
  void value(const DbusValue& value);
  std::string out_;
};

/// Reads wire format; every read checks the bounds. After a failure ok() is false and all reads give nothing.
class DbusReader {
 public:
  DbusReader(std::string_view data, bool big_endian) : data_(data), big_endian_(big_endian) {}
  bool ok() const { return ok_; }
  uint8_t byte();
  uint32_t u32();
  uint64_t u64();
  std::string_view string();
  std::string_view signature();
  void align(size_t boundary);
  size_t at() const { return at_; }
  bool at_end() const { return at_ >= data_.size(); }
  void fail() { ok_ = false; }

 private:
  uint64_t number(size_t size);
  std::string_view take(size_t size);
  std::string_view data_;
  size_t at_ = 0;
  bool big_endian_;
  bool ok_ = true;
};

struct DbusMessage {
  enum Type : uint8_t { call = 1, reply = 2, error = 3, signal = 4 };
  uint8_t type = 0;
  bool big_endian = false;
  uint32_t serial = 0, reply_serial = 0;
  std::string path, interface, member, error_name, signature;
  std::string body;

  DbusReader reader() const { return {body, big_endian}; }
};

/// The size of the whole message that begins with these 16 bytes; 0 when they are no such thing, or more than
/// 16 MiB.
size_t dbus_message_size(std::string_view head);
/// invalid: broken.
Result<DbusMessage> parse_dbus_message(std::string_view data);
std::string build_dbus_call(uint32_t serial, bool no_reply, const char* destination, const char* path,
                            const char* interface, const char* member, std::string_view signature,
                            std::string_view body);

class DbusConnection {
 public:
  /// Connects to the first of the sockets that answers, and authenticates as `uid` (EXTERNAL). `is_bus` tells
  /// those that have a bus daemon behind them and want Hello.
  struct Socket {
    std::string path;
    bool is_bus = false;
  };
  static Result<DbusConnection> connect(const std::vector<Socket>& sockets, uid_t uid);
  bool is_bus() const { return is_bus_; }

  /// Sends a call and returns its reply. An error reply is an Error whose text begins with the D-Bus error's
  /// name. Signals that come meanwhile are kept.
  Result<DbusMessage> call(const char* destination, const char* path, const char* interface,
                           const char* member, std::string_view signature, const DbusWriter& body);
  /// Without waiting for the answer, which is dropped.
  Status send(const char* destination, const char* path, const char* interface, const char* member,
              std::string_view signature, const DbusWriter& body);
  /// The next signal of this name.
  Result<DbusMessage> wait_signal(std::string_view interface, std::string_view member, int milliseconds);

 private:
  DbusConnection() = default;
  Status authenticate(uid_t uid);
  Result<DbusMessage> receive(int64_t deadline);
  Status fill(size_t size, int64_t deadline);

  Fd socket_;
  bool is_bus_ = false;
  uint32_t serial_ = 0;
  std::string input_;
  std::vector<DbusMessage> signals_;
};

}  // namespace slipway::sys
