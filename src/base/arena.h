// A bump allocator for data that lives until the program or the operation ends, and the plain strings and
// lists that point into it. Nothing allocated here is freed or destroyed one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <type_traits>

namespace slipway {

/// A NUL-terminated string that someone else (an Arena, a literal) owns. Trivially copyable; never null.
struct Str {
  const char* data = "";
  size_t size = 0;

  constexpr Str() = default;
  template <size_t N>
  constexpr Str(const char (&literal)[N])
      : data(literal), size(N - 1) {}  // NOLINT(google-explicit-constructor)
  constexpr Str(const char* text, size_t length) : data(text), size(length) {}
  /// Wraps a C string that outlives the Str.
  static Str wrap(const char* text) { return {text, strlen(text)}; }

  constexpr operator std::string_view() const { return {data, size}; }  // NOLINT(google-explicit-constructor)
  constexpr std::string_view view() const { return {data, size}; }
  constexpr const char* c_str() const { return data; }
  constexpr bool empty() const { return size == 0; }
  friend constexpr bool operator==(Str a, std::string_view b) { return a.view() == b; }
};

/// A run of T in an Arena. Trivially copyable; owns nothing.
template <class T>
struct List {
  T* items = nullptr;
  uint32_t count = 0;

  T* begin() const { return items; }
  T* end() const { return items + count; }
  T& operator[](size_t i) const { return items[i]; }
  uint32_t size() const { return count; }
  bool empty() const { return count == 0; }
};

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  /// Zeroed memory; aborts when the system has none left.
  void* allocate(size_t size, size_t align = alignof(max_align_t));

  template <class T>
  T* make() {
    static_assert(std::is_trivially_destructible_v<T>, "nobody would destroy it");
    return new (allocate(sizeof(T), alignof(T))) T();
  }
  template <class T>
  List<T> list(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>, "nobody would destroy it");
    T* items = static_cast<T*>(allocate(sizeof(T) * count, alignof(T)));
    for (size_t i = 0; i < count; ++i) new (&items[i]) T();
    return {items, static_cast<uint32_t>(count)};
  }
  /// A NUL-terminated copy.
  Str copy(std::string_view text);
  Str format(const char* fmt, ...) __attribute__((format(printf, 2, 3)));

 private:
  struct Chunk;
  Chunk* chunks_ = nullptr;
  char* next_ = nullptr;
  char* end_ = nullptr;
};

/// Appends to a List in an Arena; the memory of outgrown lists stays behind in the arena.
template <class T>
class ListBuilder {
 public:
  explicit ListBuilder(Arena& arena) : arena_(arena) {}
  T& add(T item = T()) {
    if (list_.count == capacity_) grow();
    T* slot = new (&list_.items[list_.count++]) T(item);
    return *slot;
  }
  List<T> list() const { return list_; }
  uint32_t size() const { return list_.count; }
  /// Where the list lives; what its items point to may live there too.
  Arena& arena() const { return arena_; }

 private:
  void grow() {
    const uint32_t capacity = capacity_ ? capacity_ * 2 : 8;
    T* items = static_cast<T*>(arena_.allocate(sizeof(T) * capacity, alignof(T)));
    for (uint32_t i = 0; i < list_.count; ++i) new (&items[i]) T(list_.items[i]);
    list_.items = items;
    capacity_ = capacity;
  }
  Arena& arena_;
  List<T> list_;
  uint32_t capacity_ = 0;
};

}  // namespace slipway
