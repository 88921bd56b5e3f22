#include <yajl/yajl_gen.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "src/base/json.h"

namespace slipway::json {

namespace {

bool is_empty(const Type& type, const char* at) {
  switch (type.kind) {
    case Kind::boolean:
      return !*reinterpret_cast<const bool*>(at);
    case Kind::integer: {
      const uint64_t zero = 0;
      return memcmp(at, &zero, type.size) == 0;
    }
    case Kind::real:
      return *reinterpret_cast<const double*>(at) == 0;
    case Kind::string:
    case Kind::raw:
      return reinterpret_cast<const Str*>(at)->empty();
    case Kind::optional:
      return !*reinterpret_cast<const bool*>(at + type.set_offset);
    case Kind::pointer:
      return !*reinterpret_cast<const char* const*>(at);
    case Kind::list:
    case Kind::map:
      return reinterpret_cast<const List<char>*>(at)->empty();
    case Kind::object:
      for (uint32_t i = 0; i < type.field_count; ++i)
        if (!is_empty(*type.fields[i].type, at + type.fields[i].offset)) return false;
      return true;
  }
  return true;
}

void write_integer(Writer& out, const Type& type, const char* at) {
  if (type.is_signed) {
    out.integer(type.size == 8 ? *reinterpret_cast<const int64_t*>(at)
                               : *reinterpret_cast<const int32_t*>(at));
  } else if (type.size == 8) {
    out.unsigned_integer(*reinterpret_cast<const uint64_t*>(at));
  } else {
    out.unsigned_integer(type.size == 4 ? *reinterpret_cast<const uint32_t*>(at)
                                        : *reinterpret_cast<const uint16_t*>(at));
  }
}

void write_value(Writer& out, const Type& type, const char* at) {
  switch (type.kind) {
    case Kind::boolean:
      out.boolean(*reinterpret_cast<const bool*>(at));
      break;
    case Kind::integer:
      write_integer(out, type, at);
      break;
    case Kind::real:
      out.real(*reinterpret_cast<const double*>(at));
      break;
    case Kind::string:
      out.string(*reinterpret_cast<const Str*>(at));
      break;
    case Kind::raw:
      out.raw(reinterpret_cast<const Raw*>(at)->text);
      break;
    case Kind::optional:
      write_value(out, *type.inner, at);
      break;
    case Kind::pointer:
      if (const char* object = *reinterpret_cast<const char* const*>(at)) {
        write_value(out, *type.inner, object);
      } else {
        out.null();
      }
      break;
    case Kind::list: {
      const auto* list = reinterpret_cast<const List<char>*>(at);
      out.begin_array();
      for (uint32_t i = 0; i < list->count; ++i)
        write_value(out, *type.inner, list->items + size_t{i} * type.inner_size);
      out.end_array();
      break;
    }
    case Kind::map: {
      const auto* list = reinterpret_cast<const List<char>*>(at);
      out.begin_object();
      for (uint32_t i = 0; i < list->count; ++i) {
        const char* entry = list->items + size_t{i} * type.inner_size;
        out.key(*reinterpret_cast<const Str*>(entry));
        write_value(out, *type.inner, entry + type.value_offset);
      }
      out.end_object();
      break;
    }
    case Kind::object:
      out.begin_object();
      for (uint32_t i = 0; i < type.field_count; ++i) {
        const Field& field = type.fields[i];
        if (!field.always && is_empty(*field.type, at + field.offset)) continue;
        out.key({field.name, field.name_size});
        write_value(out, *field.type, at + field.offset);
      }
      out.end_object();
      break;
  }
}

yajl_gen gen(void* handle) {
  return static_cast<yajl_gen>(handle);
}

void must(yajl_gen_status status) {
  if (status != yajl_gen_status_ok && status != yajl_gen_generation_complete) abort();
}

/// The text with every byte that is not UTF-8 replaced by U+FFFD.
std::string repaired(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80       ? 1
                          : lead >> 5 == 6  ? 2
                          : lead >> 4 == 14 ? 3
                          : lead >> 3 == 30 ? 4
                                            : 0;
    bool valid = length > 0 && i + length <= text.size();
    for (size_t k = 1; valid && k < length; ++k)
      valid = (static_cast<unsigned char>(text[i + k]) & 0xc0) == 0x80;
    out += valid ? text.substr(i, length) : std::string_view("\xef\xbf\xbd");
    i += valid ? length : 1;
  }
  return out;
}

}  // namespace

Writer::Writer(Style style) : gen_(yajl_gen_alloc(nullptr)) {
  if (!gen_) abort();
  if (style == Style::indented) {
    yajl_gen_config(gen(gen_), yajl_gen_beautify, 1);
    yajl_gen_config(gen(gen_), yajl_gen_indent_string, "  ");
  }
  yajl_gen_config(gen(gen_), yajl_gen_validate_utf8, 1);
}

Writer::~Writer() {
  yajl_gen_free(gen(gen_));
}

Writer& Writer::begin_object() {
  return must(yajl_gen_map_open(gen(gen_))), *this;
}
Writer& Writer::end_object() {
  return must(yajl_gen_map_close(gen(gen_))), *this;
}
Writer& Writer::begin_array() {
  return must(yajl_gen_array_open(gen(gen_))), *this;
}
Writer& Writer::end_array() {
  return must(yajl_gen_array_close(gen(gen_))), *this;
}
Writer& Writer::key(std::string_view name) {
  return string(name);
}

Writer& Writer::string(std::string_view value) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
  const yajl_gen_status status = yajl_gen_string(gen(gen_), bytes, value.size());
  if (status == yajl_gen_invalid_string) return string(repaired(value));
  return must(status), *this;
}

Writer& Writer::integer(int64_t value) {
  return must(yajl_gen_integer(gen(gen_), value)), *this;
}

Writer& Writer::unsigned_integer(uint64_t value) {
  char digits[24];
  const int length = snprintf(digits, sizeof digits, "%lu", value);
  return must(yajl_gen_number(gen(gen_), digits, static_cast<size_t>(length))), *this;
}

Writer& Writer::real(double value) {
  char digits[40];
  const int length = snprintf(digits, sizeof digits, "%.17g", value);
  return must(yajl_gen_number(gen(gen_), digits, static_cast<size_t>(length))), *this;
}

Writer& Writer::boolean(bool value) {
  return must(yajl_gen_bool(gen(gen_), value)), *this;
}
Writer& Writer::null() {
  return must(yajl_gen_null(gen(gen_))), *this;
}
Writer& Writer::raw(std::string_view text) {
  return must(yajl_gen_number(gen(gen_), text.data(), text.size())), *this;
}
Writer& Writer::value(const Type& type, const void* object) {
  return write_value(*this, type, static_cast<const char*>(object)), *this;
}

std::string_view Writer::text() const {
  const unsigned char* text = nullptr;
  size_t size = 0;
  must(yajl_gen_get_buf(gen(gen_), &text, &size));
  return {reinterpret_cast<const char*>(text), size};
}

}  // namespace slipway::json
