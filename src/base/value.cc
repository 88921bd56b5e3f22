#include "src/base/value.h"

#include <algorithm>

#include "src/base/quantity.h"

namespace slipway {

namespace {

const Value kNull;

/// The second pass over text that json::read has found to be right: turns it into values.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<Value> value(int depth = 0) {
    skip_space();
    if (at_ >= text_.size() || depth > 64) return bad();
    switch (text_[at_]) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"':
        return Value(TRY(string()));
      case 't':
        return word("true", Value(true));
      case 'f':
        return word("false", Value(false));
      case 'n':
        return word("null", Value());
      default:
        return number();
    }
  }
  bool at_end() {
    skip_space();
    return at_ == text_.size();
  }

 private:
  Error bad() const { return Error::of(ErrorKind::invalid, "invalid JSON at byte %zu", at_); }
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Result<Value> word(std::string_view word, Value value) {
    if (text_.substr(at_, word.size()) != word) return bad();
    at_ += word.size();
    return value;
  }

  Result<Value> object(int depth) {
    Value out = Value::map();
    ++at_;
    if (take('}')) return out;
    do {
      skip_space();
      if (at_ >= text_.size() || text_[at_] != '"') return bad();
      const std::string key = TRY(string());
      if (!take(':')) return bad();
      out.set(key, TRY(value(depth + 1)));
    } while (take(','));
    if (!take('}')) return bad();
    return out;
  }

  Result<Value> array(int depth) {
    Value out = Value::array();
    ++at_;
    if (take(']')) return out;
    do out.add(TRY(value(depth + 1)));
    while (take(','));
    if (!take(']')) return bad();
    return out;
  }

  Result<Value> number() {
    const size_t start = at_;
    bool whole = true;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '.' || c == 'e' || c == 'E')
        whole = false;
      else if (c != '-' && c != '+' && (c < '0' || c > '9'))
        break;
      ++at_;
    }
    if (start == at_) return bad();
    const std::string digits(text_.substr(start, at_ - start));
    if (whole) return Value(static_cast<int64_t>(strtoll(digits.c_str(), nullptr, 10)));
    return Value(strtod(digits.c_str(), nullptr));
  }

  int hex4() {
    int code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ >= text_.size()) return -1;
      const char c = text_[at_];
      const int digit = c >= '0' && c <= '9'                 ? c - '0'
                        : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                             : -1;
      if (digit < 0) return -1;
      code = code * 16 + digit;
    }
    return code;
  }
  static void add_utf8(std::string& out, uint32_t code) {
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xc0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 63));
    } else if (code < 0x10000) {
      out += static_cast<char>(0xe0 | code >> 12);
      out += static_cast<char>(0x80 | (code >> 6 & 63));
      out += static_cast<char>(0x80 | (code & 63));
    } else {
      out += static_cast<char>(0xf0 | code >> 18);
      out += static_cast<char>(0x80 | (code >> 12 & 63));
      out += static_cast<char>(0x80 | (code >> 6 & 63));
      out += static_cast<char>(0x80 | (code & 63));
    }
  }

  Result<std::string> string() {
    std::string out;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] != '\\') {
        out += text_[at_];
        continue;
      }
      if (++at_ >= text_.size()) return bad();
      const std::string_view from = "\"\\/bfnrt";
      const size_t escape = from.find(text_[at_]);
      if (escape != std::string_view::npos) {
        out += "\"\\/\b\f\n\r\t"[escape];
      } else if (text_[at_] == 'u') {
        ++at_;
        int code = hex4();
        if (code < 0) return bad();
        if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_, 2) == "\\u") {
          at_ += 2;
          const int low = hex4();
          if (low < 0xdc00 || low > 0xdfff) return bad();
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        add_utf8(out, static_cast<uint32_t>(code));
        --at_;
      } else {
        return bad();
      }
    }
    if (at_ >= text_.size()) return bad();
    ++at_;
    return out;
  }

  std::string_view text_;
  size_t at_ = 0;
};

void write_pretty(const Value& value, std::string& out, size_t indent) {
  const auto line = [&](size_t depth) { out.append("\n").append(depth * 4, ' '); };
  if (value.is_array() && !value.items().empty()) {
    out += '[';
    for (size_t i = 0; i < value.items().size(); ++i) {
      if (i) out += ',';
      line(indent + 1);
      write_pretty(value.items()[i], out, indent + 1);
    }
    line(indent);
    out += ']';
  } else if (value.is_object() && !value.members().empty()) {
    out += '{';
    bool first = true;
    for (const Value::Member& member : value.members()) {
      if (member.value.is_omitted()) continue;
      if (!first) out += ',';
      first = false;
      line(indent + 1);
      out.append(Value(member.key).json()).append(": ");
      write_pretty(member.value, out, indent + 1);
    }
    line(indent);
    out += '}';
  } else {
    out += value.json();
  }
}

}  // namespace

Value Value::no_list() {
  Value out;
  out.null_text_ = "[]";
  return out;
}

Value Value::no_map() {
  Value out;
  out.null_text_ = "map[]";
  return out;
}

Value Value::no_pointer() {
  Value out;
  out.null_text_ = "<nil>";
  return out;
}

Value Value::omitted(const char* text) {
  Value out;
  out.null_text_ = text;
  out.omitted_ = true;
  return out;
}

Value Value::object() {
  Value value;
  value.data_ = std::vector<Member>();
  return value;
}

Value Value::map() {
  Value value = object();
  value.free_keys_ = true;
  return value;
}

Value Value::printed(Value value, std::string text) {
  value.printed_ = std::move(text);
  return value;
}

Value Value::duration(int64_t nanoseconds) {
  return printed(nanoseconds, duration_text(nanoseconds));
}

Value Value::time(std::string_view rfc3339) {
  std::string text(rfc3339.substr(0, rfc3339.find('Z')));
  if (const size_t t = text.find('T'); t != std::string::npos) text[t] = ' ';
  if (const size_t point = text.find('.'); point != std::string::npos)
    text.erase(std::max(text.find_last_not_of('0') + 1, point + 1));
  if (text.ends_with('.')) text.pop_back();
  return printed(rfc3339, text + " +0000 UTC");
}

Value Value::array() {
  Value value;
  value.data_ = std::vector<Value>();
  return value;
}

Value Value::strings(const List<Str>& list) {
  Value value = array();
  for (const Str item : list) value.add(item);
  return value;
}

Value Value::map_of(const Map<Str>& map) {
  Value value = Value::map();
  for (const Entry<Str>& entry : map) value.set(entry.key, entry.value);
  std::vector<Member>& members = *std::get_if<std::vector<Member>>(&value.data_);
  std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) { return a.key < b.key; });
  return value;
}

Result<Value> Value::parse(std::string_view text) {
  Reader reader(text);
  Value value = TRY(reader.value());
  if (!reader.at_end()) return Error::of(ErrorKind::invalid, "invalid JSON: text after its end");
  return value;
}

const Value* Value::find(std::string_view key) const& {
  if (!is_object()) return nullptr;
  for (const Member& member : members())
    if (member.key == key) return &member.value;
  return nullptr;
}

const Value& Value::operator[](std::string_view key) const& {
  const Value* found = find(key);
  return found ? *found : kNull;
}

Value Value::operator[](std::string_view key) && {
  const Value& self = *this;
  return self[key];
}

Value& Value::set(std::string_view key, Value value) & {
  std::vector<Member>& members = *std::get_if<std::vector<Member>>(&data_);
  for (Member& member : members) {
    if (member.key != key) continue;
    member.value = std::move(value);
    return *this;
  }
  members.push_back({std::string(key), std::move(value)});
  return *this;
}

Value& Value::add(Value value) & {
  std::get_if<std::vector<Value>>(&data_)->push_back(std::move(value));
  return *this;
}

Value Value::set(std::string_view key, Value value) && {
  set(key, std::move(value));
  return std::move(*this);
}

Value Value::add(Value value) && {
  add(std::move(value));
  return std::move(*this);
}

void Value::write(json::Writer& writer) const {
  if (is_null()) {
    writer.null();
  } else if (is_bool()) {
    writer.boolean(boolean());
  } else if (is_integer()) {
    writer.integer(integer());
  } else if (is_real()) {
    writer.real(real());
  } else if (is_string()) {
    writer.string(text());
  } else if (is_array()) {
    writer.begin_array();
    for (const Value& item : items()) item.write(writer);
    writer.end_array();
  } else {
    writer.begin_object();
    for (const Member& member : members()) {
      if (member.value.is_omitted()) continue;
      writer.key(member.key);
      member.value.write(writer);
    }
    writer.end_object();
  }
}

std::string Value::json() const {
  json::Writer writer;
  write(writer);
  return std::string(writer.text());
}

std::string Value::pretty_json() const {
  std::string out;
  write_pretty(*this, out, 0);
  return out;
}

}  // namespace slipway
