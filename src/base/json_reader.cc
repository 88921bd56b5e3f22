#include "src/base/json.h"

#include <yajl/yajl_parse.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace slipway::json {

namespace {

constexpr int kMaxDepth = 64;

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "a boolean";
    case Kind::integer:
      return "an integer";
    case Kind::real:
      return "a number";
    case Kind::string:
      return "a string";
    case Kind::list:
      return "an array";
    default:
      return "an object";
  }
}

/// One open object, map or array: what it is filled into, and where the reader is in it.
struct Frame {
  const Type* type = nullptr;    // object, list or map
  char* target = nullptr;        // the object, the List or the Map
  const Field* field = nullptr;  // object: the member of the last key
  Str key;                       // object, map: the last key
  char* items = nullptr;         // list, map: the elements so far
  uint32_t capacity = 0;
  uint32_t* index = nullptr;  // large maps: a hash table of entry numbers plus one
  uint32_t index_size = 0;    // a power of two, or 0
  bool skip = false;          // below a key that nobody claims
};

/// yajl's events drive this stack machine. A false return stops yajl; error_ then says why.
class Reader {
 public:
  Reader(Arena& arena, UnknownKeys* unknown) : arena_(arena), unknown_(unknown) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    if (raw_) raw_->~Writer();  // the text ended inside a Raw
  }

  Status run(std::string_view text, const Type& type, void* out) {
    root_type_ = &type;
    root_ = static_cast<char*>(out);
    yajl_alloc_funcs memory = {allocate, reallocate, release, this};
    yajl_handle parser = yajl_alloc(&kCallbacks, &memory, this);
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    yajl_status status = yajl_parse(parser, bytes, text.size());
    if (status == yajl_status_ok) status = yajl_complete_parse(parser);
    if (status == yajl_status_ok) return {};
    if (status == yajl_status_client_canceled) return std::move(error_);
    return syntax_error(parser, text);
  }

 private:
  static Status syntax_error(yajl_handle parser, std::string_view text) {
    size_t line = 1;
    const size_t end = yajl_get_bytes_consumed(parser);
    for (size_t i = 0; i < end && i < text.size(); ++i) line += text[i] == '\n';
    unsigned char* reason = yajl_get_error(parser, 0, nullptr, 0);
    std::string_view why(reason ? reinterpret_cast<const char*>(reason) : "unexpected end of the text");
    while (!why.empty() && why.back() == '\n') why.remove_suffix(1);
    return Error::of(ErrorKind::invalid, "line %zu: %.*s", line, static_cast<int>(why.size()), why.data());
  }

  // --- where a value goes ----------------------------------------------------------------------------------

  struct Slot {
    const Type* type = nullptr;  // null: nobody wants the value
    char* at = nullptr;
  };

  /// The place of the next value; unwraps Opt<T>.
  Slot slot() {
    Slot slot;
    if (depth_ == 0) {
      slot = {root_type_, root_};
    } else {
      Frame& frame = frames_[depth_ - 1];
      if (frame.skip) return {};
      if (frame.type->kind == Kind::object) {
        if (!frame.field) return {};
        slot = {frame.field->type, frame.target + frame.field->offset};
        slot.type->construct(slot.at);  // of duplicate keys the last one wins
      } else {
        char* element = next_element(frame);
        slot = {frame.type->inner, element + (frame.type->kind == Kind::map ? frame.type->value_offset : 0)};
      }
    }
    if (slot.type->kind == Kind::optional) {
      *reinterpret_cast<bool*>(slot.at + slot.type->set_offset) = true;
      slot.type = slot.type->inner;  // Opt<T>::value is at offset 0
    }
    return slot;
  }

  char* next_element(Frame& frame) {
    auto* list =
        reinterpret_cast<List<char>*>(frame.target);  // List<T> and Map<T> have this layout for every T
    const uint32_t size = frame.type->inner_size;
    const bool is_map = frame.type->kind == Kind::map;
    if (is_map) {
      if (char* entry = find_entry(frame, list->count)) {
        frame.type->inner->construct(entry + frame.type->value_offset);
        return entry;
      }
    }
    if (list->count == frame.capacity) {
      frame.capacity = frame.capacity ? frame.capacity * 2 : 8;
      char* items = static_cast<char*>(arena_.allocate(size_t{frame.capacity} * size));
      if (list->count) memcpy(items, frame.items, size_t{list->count} * size);
      frame.items = list->items = items;
    }
    char* element = frame.items + size_t{list->count++} * size;
    if (is_map) {
      new (element) Str(frame.key);
      if (frame.index_size) frame.index[slot_of(frame, frame.key)] = list->count;
    }
    frame.type->inner->construct(element + (is_map ? frame.type->value_offset : 0));
    return element;
  }

  // --- keys of maps ----------------------------------------------------------------------------------------
  // Small maps are searched; for large ones there is a table, or a document of ten megabytes of keys would
  // take minutes.

  static constexpr uint32_t kSearched = 32;

  static uint32_t hash(std::string_view key) {
    uint32_t value = 2166136261;
    for (char c : key) value = (value ^ static_cast<unsigned char>(c)) * 16777619;
    return value;
  }
  static Str key_of(const Frame& frame, uint32_t entry) {
    return *reinterpret_cast<Str*>(frame.items + size_t{entry} * frame.type->inner_size);
  }
  /// Where the key is or would be in the table.
  static uint32_t slot_of(const Frame& frame, std::string_view key) {
    uint32_t at = hash(key) & (frame.index_size - 1);
    while (frame.index[at] && key_of(frame, frame.index[at] - 1) != key)
      at = (at + 1) & (frame.index_size - 1);
    return at;
  }

  /// The entry with the frame's key among `count`, or nullptr.
  char* find_entry(Frame& frame, uint32_t count) {
    if (count >= kSearched && count * 2 >= frame.index_size) grow_index(frame, count);
    uint32_t found = count;
    if (frame.index_size) {
      if (const uint32_t number = frame.index[slot_of(frame, frame.key)]) found = number - 1;
    } else {
      for (found = 0; found < count && key_of(frame, found) != frame.key.view();) ++found;
    }
    return found < count ? frame.items + size_t{found} * frame.type->inner_size : nullptr;
  }

  void grow_index(Frame& frame, uint32_t count) {
    frame.index_size = frame.index_size ? frame.index_size * 2 : kSearched * 4;
    frame.index = arena_.list<uint32_t>(frame.index_size).items;
    for (uint32_t i = 0; i < count; ++i) frame.index[slot_of(frame, key_of(frame, i))] = i + 1;
  }

  // --- errors ----------------------------------------------------------------------------------------------

  /// "process.args[1]" for the value that is being read.
  Str place(bool with_last = true) {
    Str out;
    for (int i = 0; i < depth_; ++i) {
      const Frame& frame = frames_[i];
      if (!frame.type || (i == depth_ - 1 && !with_last)) break;
      if (frame.type->kind == Kind::list) {
        const uint32_t count = reinterpret_cast<List<char>*>(frame.target)->count;
        out = arena_.format("%s[%u]", out.c_str(), count ? count - 1 : 0);
      } else {
        out = arena_.format("%s%s%s", out.c_str(), out.empty() ? "" : ".", frame.key.c_str());
      }
    }
    return out;
  }

  bool fail(const char* problem) {
    const Str where = place();
    error_ = where.empty() ? Error::of(ErrorKind::invalid, "%s", problem)
                           : Error::of(ErrorKind::invalid, "%s: %s", where.c_str(), problem);
    return false;
  }
  bool mismatch(const Type& wanted, const char* found) {
    char text[96];
    snprintf(text, sizeof text, "expected %s, found %s", name_of(wanted.kind), found);
    return fail(text);
  }

  // --- events ----------------------------------------------------------------------------------------------

  bool on_null() {
    if (raw_) return raw_->null(), true;
    if (depth_ == 0) return fail("expected an object, found null");
    Frame& frame = frames_[depth_ - 1];
    if (frame.skip) return true;
    if (frame.type->kind == Kind::object) {
      if (frame.field) frame.field->type->construct(frame.target + frame.field->offset);
    } else {
      next_element(frame);
    }
    return true;
  }

  bool on_boolean(bool value) {
    if (raw_) return raw_->boolean(value), true;
    const Slot to = slot();
    if (!to.type) return true;
    if (to.type->kind == Kind::raw) return set_raw(to, value ? "true" : "false");
    if (to.type->kind != Kind::boolean) return mismatch(*to.type, "a boolean");
    *reinterpret_cast<bool*>(to.at) = value;
    return true;
  }

  bool on_number(std::string_view text) {
    if (raw_) return raw_->raw(text), true;
    const Slot to = slot();
    if (!to.type) return true;
    char digits[40];
    if (to.type->kind == Kind::raw) return set_raw(to, text);
    if (to.type->kind != Kind::integer && to.type->kind != Kind::real) return mismatch(*to.type, "a number");
    if (text.size() >= sizeof digits) return fail("the number has too many digits");
    memcpy(digits, text.data(), text.size());
    digits[text.size()] = '\0';
    if (to.type->kind == Kind::real) {
      const double value = strtod(digits, nullptr);
      if (!std::isfinite(value)) return fail("the number is too large");
      return *reinterpret_cast<double*>(to.at) = value, true;
    }
    return set_integer(to, digits);
  }

  bool set_integer(const Slot& to, const char* digits) {
    if (strpbrk(digits, ".eE")) return mismatch(*to.type, "a number with a fraction or an exponent");
    char* end = nullptr;
    errno = 0;
    if (to.type->is_signed) {
      const int64_t value = strtoll(digits, &end, 10);
      if (errno == 0 && to.type->size == 8) return *reinterpret_cast<int64_t*>(to.at) = value, true;
      if (errno == 0 && value >= INT32_MIN && value <= INT32_MAX)
        return *reinterpret_cast<int32_t*>(to.at) = static_cast<int32_t>(value), true;
    } else if (digits[0] != '-') {
      const uint64_t value = strtoull(digits, &end, 10);
      if (errno == 0 && to.type->size == 8) return *reinterpret_cast<uint64_t*>(to.at) = value, true;
      if (errno == 0 && to.type->size == 4 && value <= UINT32_MAX)
        return *reinterpret_cast<uint32_t*>(to.at) = static_cast<uint32_t>(value), true;
      if (errno == 0 && to.type->size == 2 && value <= UINT16_MAX)
        return *reinterpret_cast<uint16_t*>(to.at) = static_cast<uint16_t>(value), true;
    }
    char text[96];
    snprintf(text, sizeof text, "%s does not fit into %s %u-bit integer", digits,
             to.type->is_signed ? "a signed" : "an unsigned", to.type->size * 8);
    return fail(text);
  }

  bool on_string(std::string_view value) {
    if (raw_) return raw_->string(value), true;
    const Slot to = slot();
    if (!to.type) return true;
    if (to.type->kind == Kind::raw) {
      Writer writer;
      return set_raw(to, writer.string(value).text());
    }
    if (to.type->kind != Kind::string) return mismatch(*to.type, "a string");
    // A NUL inside would end the C string early and mean another name to the kernel.
    if (memchr(value.data(), 0, value.size())) return fail("the string contains a NUL character");
    *reinterpret_cast<Str*>(to.at) = arena_.copy(value);
    return true;
  }

  bool set_raw(const Slot& to, std::string_view text) {
    reinterpret_cast<Raw*>(to.at)->text = arena_.copy(text);
    return true;
  }

  bool on_open(bool array) {
    if (depth_ + raw_depth_ == kMaxDepth) return fail("more than 64 levels of nesting");
    if (raw_) return ++raw_depth_, array ? raw_->begin_array() : raw_->begin_object(), true;
    Slot to = slot();
    if (to.type && to.type->kind == Kind::pointer) {
      char* object = static_cast<char*>(arena_.allocate(to.type->inner->size, to.type->inner->align));
      to.type->inner->construct(object);
      *reinterpret_cast<char**>(to.at) = object;
      to = {to.type->inner, object};
    }
    if (to.type && to.type->kind == Kind::raw) {
      raw_ = new (raw_memory_) Writer();
      raw_target_ = reinterpret_cast<Raw*>(to.at);
      raw_depth_ = 1;
      array ? raw_->begin_array() : raw_->begin_object();
      return true;
    }
    if (to.type && (to.type->kind == Kind::list) != array)
      return mismatch(*to.type, array ? "an array" : "an object");
    if (to.type && to.type->kind != Kind::list && to.type->kind != Kind::map && to.type->kind != Kind::object)
      return mismatch(*to.type, "an object");
    Frame& frame = frames_[depth_++];
    frame = Frame();
    frame.type = to.type;
    frame.target = to.at;
    frame.skip = !to.type;
    return true;
  }

  bool on_close() {
    if (raw_) {
      // The writer knows which bracket is open; ours is tracked by depth alone.
      raw_open_is_array() ? raw_->end_array() : raw_->end_object();
      if (--raw_depth_ > 0) return true;
      raw_target_->text = arena_.copy(raw_->text());
      raw_->~Writer();
      raw_ = nullptr;
      return true;
    }
    --depth_;
    return true;
  }

  bool on_key(std::string_view key) {
    if (raw_) return raw_->key(key), true;
    Frame& frame = frames_[depth_ - 1];
    if (frame.skip) return true;
    if (memchr(key.data(), 0, key.size())) return fail("a key contains a NUL character");
    if (frame.type->kind == Kind::map) {
      frame.key = arena_.copy(key);
      return true;
    }
    frame.field = nullptr;
    for (uint32_t i = 0; i < frame.type->field_count; ++i) {
      const Field& field = frame.type->fields[i];
      if (key != std::string_view(field.name, field.name_size)) continue;
      frame.field = &field;
      frame.key = Str(field.name, field.name_size);
      return true;
    }
    if (!unknown_) return true;
    Status status = unknown_->unknown_key(place(false), key);
    if (status.ok()) return true;
    error_ = std::move(status).error();
    return false;
  }

  bool raw_open_is_array() const { return closing_array_; }

  // --- yajl ------------------------------------------------------------------------------------------------

  static Reader* self(void* context) { return static_cast<Reader*>(context); }
  static std::string_view view(const unsigned char* text, size_t size) {
    return {reinterpret_cast<const char*>(text), size};
  }
  static int null(void* c) { return self(c)->on_null(); }
  static int boolean(void* c, int value) { return self(c)->on_boolean(value != 0); }
  static int number(void* c, const char* text, size_t size) { return self(c)->on_number({text, size}); }
  static int string(void* c, const unsigned char* text, size_t size) {
    return self(c)->on_string(view(text, size));
  }
  static int start_map(void* c) { return self(c)->on_open(false); }
  static int map_key(void* c, const unsigned char* text, size_t size) {
    return self(c)->on_key(view(text, size));
  }
  static int end_map(void* c) {
    self(c)->closing_array_ = false;
    return self(c)->on_close();
  }
  static int start_array(void* c) { return self(c)->on_open(true); }
  static int end_array(void* c) {
    self(c)->closing_array_ = true;
    return self(c)->on_close();
  }
  static constexpr yajl_callbacks kCallbacks = {null,      boolean, nullptr, nullptr,     number,   string,
                                                start_map, map_key, end_map, start_array, end_array};

  // yajl's few buffers take 3 KiB of each document. In the arena they would stay: a page for each line of a long list. What
  // does not fit here goes there. The size in front lets reallocate() copy.
  static void* allocate(void* reader, size_t size) {
    Reader& self = *static_cast<Reader*>(reader);
    const size_t need = (size + 2 * sizeof(size_t) + 15) & ~size_t{15};
    void* place = self.yajl_memory_ + self.yajl_used_;
    if (need <= sizeof self.yajl_memory_ - self.yajl_used_)
      self.yajl_used_ += need;
    else
      place = self.arena_.allocate(need, 16);
    auto* memory = static_cast<size_t*>(place);
    *memory = size;
    return memory + 2;
  }
  static void* reallocate(void* reader, void* old, size_t size) {
    void* memory = allocate(reader, size);
    if (old) {
      const size_t had = static_cast<size_t*>(old)[-2];
      memcpy(memory, old, had < size ? had : size);
    }
    return memory;
  }
  static void release(void*, void*) {}

  Arena& arena_;
  UnknownKeys* unknown_;
  Error error_ = Error::of(ErrorKind::invalid, "not read");
  const Type* root_type_ = nullptr;
  char* root_ = nullptr;
  alignas(16) char yajl_memory_[6144];
  size_t yajl_used_ = 0;
  Frame frames_[kMaxDepth];
  int depth_ = 0;
  Writer* raw_ = nullptr;
  Raw* raw_target_ = nullptr;
  int raw_depth_ = 0;
  bool closing_array_ = false;
  alignas(Writer) char raw_memory_[sizeof(Writer)];
};

}  // namespace

Status read(std::string_view text, const Type& type, void* out, Arena& arena, UnknownKeys* unknown) {
  Reader reader(arena, unknown);
  return reader.run(text, type, out);
}

}  // namespace slipway::json
