// A value without a type of its own: what `inspect` prints and what --format templates walk over. For
// documents that are read into structs see json.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "src/base/json.h"

namespace slipway {

class Value {
 public:
  struct Member;

  Value();                        // null
  Value(bool value);              // NOLINT(google-explicit-constructor)
  Value(int value);               // NOLINT(google-explicit-constructor)
  Value(unsigned value);          // NOLINT(google-explicit-constructor)
  Value(int64_t value);           // NOLINT(google-explicit-constructor)
  Value(uint64_t value);          // NOLINT(google-explicit-constructor)
  Value(double value);            // NOLINT(google-explicit-constructor)
  Value(std::string value);       // NOLINT(google-explicit-constructor)
  Value(std::string_view value);  // NOLINT(google-explicit-constructor)
  Value(const char* value);       // NOLINT(google-explicit-constructor)
  Value(Str value);               // NOLINT(google-explicit-constructor)

  /// An object with members known in advance: a template that asks for another one is wrong.
  static Value object();
  /// An object with free keys, such as labels.
  static Value map();
  static Value array();
  /// null, where Go has a list, a map or a pointer that is nil: templates show these as [], map[] and <nil>.
  static Value no_list();
  static Value no_map();
  static Value no_pointer();
  /// A member that JSON leaves out, and that templates show as `text` and not as a mistake.
  static Value omitted(const char* text);
  /// What a Go type prints of itself in a template, where JSON has something else: a duration, a time.
  static Value printed(Value value, std::string text);
  /// Nanoseconds, printed as Go prints durations: "1m30s".
  static Value duration(int64_t nanoseconds);
  /// RFC 3339 in UTC, printed as Go prints times: "2024-01-31 10:00:00.5 +0000 UTC".
  static Value time(std::string_view rfc3339);
  /// An array of strings.
  static Value strings(const List<Str>& list);
  /// Sorted by the keys, as Go has it.
  static Value map_of(const Map<Str>& map);
  /// Reads JSON text; objects in it are maps. Errors: invalid.
  static Result<Value> parse(std::string_view text);

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const { return std::holds_alternative<int64_t>(data_); }
  bool is_real() const { return std::holds_alternative<double>(data_); }
  bool is_number() const { return is_integer() || is_real(); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<std::vector<Value>>(data_); }
  bool is_object() const { return std::holds_alternative<std::vector<Member>>(data_); }
  bool has_free_keys() const { return free_keys_; }
  /// Of a null: how Go shows it, and whether JSON does.
  const char* null_text() const { return null_text_; }
  bool is_omitted() const { return omitted_; }
  /// "" unless it was made by printed().
  const std::string& printed_text() const& { return printed_; }

  /// Each only for its own kind.
  bool boolean() const { return *std::get_if<bool>(&data_); }
  int64_t integer() const { return *std::get_if<int64_t>(&data_); }
  double real() const { return is_integer() ? static_cast<double>(integer()) : *std::get_if<double>(&data_); }
  const std::string& text() const& { return *std::get_if<std::string>(&data_); }
  const std::vector<Value>& items() const& { return *std::get_if<std::vector<Value>>(&data_); }
  const std::vector<Member>& members() const& { return *std::get_if<std::vector<Member>>(&data_); }

  /// The member, or null when this is no object or has none of that name.
  const Value* find(std::string_view key) const&;
  /// The member; a null value when there is none.
  const Value& operator[](std::string_view key) const&;

  /// Sets a member of an object; keys keep the order in which they were first set.
  Value& set(std::string_view key, Value value) &;
  /// Appends to an array.
  Value& add(Value value) &;

  /// A temporary gives itself, not references into itself.
  std::string text() && { return std::move(*std::get_if<std::string>(&data_)); }
  const std::vector<Value>& items() && = delete;
  const std::vector<Member>& members() && = delete;
  const Value* find(std::string_view key) && = delete;
  Value operator[](std::string_view key) &&;
  Value set(std::string_view key, Value value) &&;
  Value add(Value value) &&;

  void write(json::Writer& writer) const;
  std::string json() const;
  /// Indented by four spaces, as docker prints.
  std::string pretty_json() const;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, std::vector<Value>, std::vector<Member>>
      data_;
  bool free_keys_ = false;
  const char* null_text_ = "<no value>";
  bool omitted_ = false;
  std::string printed_;
};

struct Value::Member {
  std::string key;
  Value value;
};

// Here, where Member is complete: a constructor may have to destroy what it has made.
inline Value::Value() = default;
inline Value::Value(bool value) : data_(value) {}
inline Value::Value(int value) : data_(static_cast<int64_t>(value)) {}
inline Value::Value(unsigned value) : data_(static_cast<int64_t>(value)) {}
inline Value::Value(int64_t value) : data_(value) {}
inline Value::Value(uint64_t value) : data_(static_cast<int64_t>(value)) {}
inline Value::Value(double value) : data_(value) {}
inline Value::Value(std::string value) : data_(std::move(value)) {}
inline Value::Value(std::string_view value) : data_(std::string(value)) {}
inline Value::Value(const char* value) : data_(std::string(value)) {}
inline Value::Value(Str value) : data_(std::string(value.view())) {}

}  // namespace slipway
