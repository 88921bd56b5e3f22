// JSON in and out, over yajl: documents are read straight into plain structs in an Arena, never into a tree.
//
// A struct says once how it looks in JSON, in the .cc file that owns the format:
//
//   struct Memory { Opt<int64_t> limit; Str node; };
//   JSON_OBJECT(Memory, JSON_FIELD(Memory, limit, "limit"), JSON_FIELD(Memory, node, "nodeName"));
//   extern const json::Type kMemoryType;  const json::Type kMemoryType = json::type<Memory>;
//
// How members map: bool, intN_t, uintN_t, double, Str; Opt<T> (absent or null: not set); T* (object, absent
// or null: nullptr); List<T> (array); Map<T> (object with free keys, in document order); a nested JSON_OBJECT
// struct; json::Raw (any value, kept as its own text). Keys are matched exactly. Of duplicate keys the last
// one wins.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "src/base/arena.h"
#include "src/base/result.h"

namespace slipway {

/// A value that may be absent. Unlike std::optional it is trivially copyable and has a layout.
template <class T>
struct Opt {
  T value{};
  bool set = false;

  Opt() = default;
  Opt(T v) : value(v), set(true) {}  // NOLINT(google-explicit-constructor)
  explicit operator bool() const { return set; }
  const T& operator*() const { return value; }
  T& operator*() { return value; }
  const T* operator->() const { return &value; }
  T value_or(T fallback) const { return set ? value : fallback; }
};

template <class T>
struct Entry {
  Str key;
  T value{};
};

/// A JSON object with free keys, in document order; of duplicate keys the last value stands.
template <class T>
struct Map : List<Entry<T>> {
  const T* find(std::string_view key) const {
    for (const Entry<T>& entry : *this)
      if (entry.key == key) return &entry.value;
    return nullptr;
  }
};

namespace json {

/// Any JSON value as compact text ("" when absent).
struct Raw {
  Str text;
};

enum class Kind : uint8_t { boolean, integer, real, string, raw, optional, pointer, list, map, object };

struct Field;

/// How one C++ type is read and written. Made by type<T>; constant data.
struct Type {
  Kind kind;
  bool is_signed = false;  // integer
  uint32_t size = 0;       // sizeof, of an integer or an object
  uint32_t align = 1;
  uint32_t set_offset = 0;        // optional: where `set` is
  uint32_t value_offset = 0;      // map: where an entry's value is
  const Type* inner = nullptr;    // optional, pointer, list: the element; map: the value
  uint32_t inner_size = 0;        // list: sizeof(element); map: sizeof(Entry)
  const Field* fields = nullptr;  // object
  uint32_t field_count = 0;
  void (*construct)(void*) =
      nullptr;  // pointer, list, map: makes an element in zeroed memory; object: itself
};

struct Field {
  const char* name;
  uint32_t name_size;
  uint32_t offset;
  const Type* type;
  bool always = false;  // written also when empty: the format requires it, or absent means something else
};

/// Whether a member that is left out of the text is read back as 0, false or "".
template <class T>
constexpr bool is_empty_by_default(const T& value) {
  if constexpr (std::is_arithmetic_v<T>)
    return value == T{};
  else if constexpr (std::is_same_v<T, Str>)
    return value.empty();
  else
    return true;
}

template <class T>
struct Fields;  // specialised by JSON_OBJECT: static constexpr std::array<Field, N> list

template <class T>
void construct(void* at) {
  new (at) T();
}

template <class T>
struct TypeOf {
  static constexpr Type make() {
    Type t{};
    t.kind = Kind::object;
    t.size = sizeof(T);
    t.align = alignof(T);
    t.fields = Fields<T>::list.data();
    t.field_count = Fields<T>::list.size();
    t.construct = construct<T>;
    return t;
  }
};

template <class T>
inline constexpr Type type = TypeOf<T>::make();

template <class T, Kind kind_, bool signed_>
struct ScalarType {
  static constexpr Type make() {
    Type t{};
    t.kind = kind_;
    t.is_signed = signed_;
    t.size = sizeof(T);
    t.align = alignof(T);
    t.construct = construct<T>;
    return t;
  }
};
template <>
struct TypeOf<bool> : ScalarType<bool, Kind::boolean, false> {};
template <>
struct TypeOf<int32_t> : ScalarType<int32_t, Kind::integer, true> {};
template <>
struct TypeOf<int64_t> : ScalarType<int64_t, Kind::integer, true> {};
template <>
struct TypeOf<uint16_t> : ScalarType<uint16_t, Kind::integer, false> {};
template <>
struct TypeOf<uint32_t> : ScalarType<uint32_t, Kind::integer, false> {};
template <>
struct TypeOf<uint64_t> : ScalarType<uint64_t, Kind::integer, false> {};
template <>
struct TypeOf<double> : ScalarType<double, Kind::real, true> {};
template <>
struct TypeOf<Str> : ScalarType<Str, Kind::string, false> {};
template <>
struct TypeOf<Raw> : ScalarType<Raw, Kind::raw, false> {};

template <class T>
struct TypeOf<Opt<T>> {
  static constexpr Type make() {
    Type t{};
    t.kind = Kind::optional;
    t.size = sizeof(Opt<T>);
    t.align = alignof(Opt<T>);
    t.set_offset = offsetof(Opt<T>, set);
    t.inner = &type<T>;
    t.construct = construct<Opt<T>>;
    return t;
  }
};
template <class T>
struct TypeOf<T*> {
  static constexpr Type make() {
    Type t{};
    t.kind = Kind::pointer;
    t.size = sizeof(T*);
    t.align = alignof(T*);
    t.inner = &type<T>;
    t.construct = construct<T*>;
    return t;
  }
};
template <class T>
struct TypeOf<List<T>> {
  static constexpr Type make() {
    Type t{};
    t.kind = Kind::list;
    t.size = sizeof(List<T>);
    t.align = alignof(List<T>);
    t.inner = &type<T>;
    t.inner_size = sizeof(T);
    t.construct = construct<List<T>>;
    return t;
  }
};
template <class T>
struct TypeOf<Map<T>> {
  static constexpr Type make() {
    Type t{};
    t.kind = Kind::map;
    t.size = sizeof(Map<T>);
    t.align = alignof(Map<T>);
    t.inner = &type<T>;
    t.inner_size = sizeof(Entry<T>);
    t.value_offset = offsetof(Entry<T>, value);
    t.construct = construct<Map<T>>;
    return t;
  }
};

/// Told of every key that no field claims: its place ("linux.resources") and its name. Returning an Error
/// refuses the document; without one such keys are skipped (what the OCI specifications ask of readers).
class UnknownKeys {
 public:
  virtual Status unknown_key(std::string_view place, std::string_view key) = 0;

 protected:
  ~UnknownKeys() = default;
};

/// Reads one JSON document into *out, an object of `type`. Strings are copied into the arena. The document is
/// hostile: at most 64 levels deep, numbers exact or refused, UTF-8 checked; the caller bounds its length.
/// Errors (ErrorKind::invalid) name the place: "process.args[1]: expected a string, found a number".
Status read(std::string_view text, const Type& type, void* out, Arena& arena, UnknownKeys* unknown = nullptr);

template <class T>
Result<T*> read(std::string_view text, const Type& type, Arena& arena, UnknownKeys* unknown = nullptr) {
  T* out = arena.make<T>();
  TRY(read(text, type, out, arena, unknown));
  return out;
}

/// Writes JSON text, compact or indented by two spaces. Wrong nesting is a programming error and aborts.
class Writer {
 public:
  enum class Style : uint8_t { compact, indented };
  explicit Writer(Style style = Style::compact);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();

  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  /// Invalid UTF-8 is replaced by U+FFFD.
  Writer& string(std::string_view value);
  Writer& integer(int64_t value);
  Writer& unsigned_integer(uint64_t value);
  Writer& real(double value);
  Writer& boolean(bool value);
  Writer& null();
  /// Text that is JSON already.
  Writer& raw(std::string_view text);
  /// An object by its table. Unset optionals, null pointers, empty strings, empty lists and maps, false and 0
  /// are left out (unless the field is a JSON_REQUIRED, or its struct has another default), so what is read back equals what
  /// was written.
  Writer& value(const Type& type, const void* object);

  /// All that was written so far; valid until the next call.
  std::string_view text() const;

 private:
  void* gen_;  // yajl_gen
};

}  // namespace json
}  // namespace slipway

#define JSON_FIELD(Struct, member, json_name)                                          \
  ::slipway::json::Field {                                                             \
    json_name, sizeof(json_name) - 1, static_cast<uint32_t>(offsetof(Struct, member)), \
        &::slipway::json::type<decltype(Struct::member)>,                              \
        !::slipway::json::is_empty_by_default(Struct{}.member)                         \
  }

/// A member that its format requires: it is written with whatever value. Reading does not insist on it.
#define JSON_REQUIRED(Struct, member, json_name)                                       \
  ::slipway::json::Field {                                                             \
    json_name, sizeof(json_name) - 1, static_cast<uint32_t>(offsetof(Struct, member)), \
        &::slipway::json::type<decltype(Struct::member)>, true                         \
  }

/// At global scope. Struct may be any complete standard-layout type; its nested types must come first.
#define JSON_OBJECT(Struct, ...)                                                       \
  template <>                                                                          \
  struct slipway::json::Fields<Struct> {                                               \
    static constexpr auto list = std::to_array<::slipway::json::Field>({__VA_ARGS__}); \
  }
