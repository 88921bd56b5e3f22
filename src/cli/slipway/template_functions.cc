#include <algorithm>
#include <cstdio>
#include <cstring>

#include "src/cli/slipway/template.h"
#include "src/cli/slipway/template_tree.h"

namespace slipway::cli {

std::string go_text(const Value& value) {
  if (!value.printed_text().empty()) return value.printed_text();
  if (value.is_null()) return value.null_text();
  if (value.is_bool()) return value.boolean() ? "true" : "false";
  if (value.is_integer()) return std::to_string(value.integer());
  if (value.is_string()) return value.text();
  if (value.is_real()) {
    char text[32];
    snprintf(text, sizeof text, "%.17g", value.real());
    for (int digits = 1; digits < 17; ++digits) {  // the shortest that is read back as the same number
      char shorter[32];
      snprintf(shorter, sizeof shorter, "%.*g", digits, value.real());
      if (strtod(shorter, nullptr) == value.real()) return shorter;
    }
    return text;
  }
  if (value.is_array()) {
    std::string out;
    for (const Value& item : value.items()) out.append(out.empty() ? "[" : " ").append(go_text(item));
    return out.empty() ? "[]" : out += "]";
  }
  std::vector<const Value::Member*> members;
  for (const Value::Member& member : value.members()) members.push_back(&member);
  if (!value.has_free_keys()) {
    std::string out = "{";
    for (const Value::Member* member : members)
      out.append(out.size() > 1 ? " " : "").append(go_text(member->value));
    return out += "}";
  }
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
  std::string out = "map[";
  for (const Value::Member* member : members)
    out.append(out.size() > 4 ? " " : "").append(member->key).append(":").append(go_text(member->value));
  return out += "]";
}

namespace go {

bool truth(const Value& value) {
  if (value.is_null()) return false;
  if (value.is_bool()) return value.boolean();
  if (value.is_number()) return value.real() != 0;
  if (value.is_string()) return !value.text().empty();
  if (value.is_array()) return !value.items().empty();
  return !value.has_free_keys() || !value.members().empty();
}

namespace {

using Arguments = std::vector<Value>;

Error wrong_count(size_t want, size_t got) {
  return Error::of(ErrorKind::invalid, "wrong number of args: want %zu got %zu", want, got);
}
#define WANT(n) \
  if (arguments.size() != (n)) return wrong_count(n, arguments.size())

Result<Value> json(const Arguments& arguments) {
  WANT(1);
  return Value(arguments[0].json());
}

Result<Value> pretty_json(const Arguments& arguments) {
  WANT(1);
  return Value(arguments[0].pretty_json());
}

Result<Value> length(const Arguments& arguments) {
  WANT(1);
  const Value& value = arguments[0];
  if (value.is_string()) return Value(static_cast<int64_t>(value.text().size()));
  if (value.is_array()) return Value(static_cast<int64_t>(value.items().size()));
  if (value.is_object()) return Value(static_cast<int64_t>(value.members().size()));
  if (value.is_null()) return Value(0);
  return Error::of(ErrorKind::invalid, "len of this type");
}

Result<Value> index(const Arguments& arguments) {
  if (arguments.empty()) return wrong_count(1, 0);
  Value at = arguments[0];
  for (size_t i = 1; i < arguments.size(); ++i) {
    const Value& key = arguments[i];
    if (at.is_array()) {
      if (!key.is_integer())
        return Error::of(ErrorKind::invalid, "cannot index slice/array with %s", key.json().c_str());
      if (key.integer() < 0 || static_cast<size_t>(key.integer()) >= at.items().size())
        return Error::of(ErrorKind::invalid, "index out of range: %lld",
                         static_cast<long long>(key.integer()));
      at = Value(at.items()[static_cast<size_t>(key.integer())]);
    } else if (at.is_object()) {
      const Value* found = key.is_string() ? at.find(key.text()) : nullptr;
      at = found ? Value(*found) : Value("");
    } else {
      return Error::of(ErrorKind::invalid,
                       at.is_null() ? "index of untyped nil" : "can't index item of this type");
    }
  }
  return at;
}

Result<Value> slice(const Arguments& arguments) {
  if (arguments.empty() || arguments.size() > 3) return wrong_count(1, arguments.size());
  const Value& value = arguments[0];
  const size_t size = value.is_string() ? value.text().size() : value.is_array() ? value.items().size() : 0;
  const auto bound = [&](size_t i, size_t fallback) -> Result<size_t> {
    if (arguments.size() <= i) return fallback;
    if (!arguments[i].is_integer() || arguments[i].integer() < 0 ||
        static_cast<size_t>(arguments[i].integer()) > size)
      return Error::of(ErrorKind::invalid, "index out of range: %s", go_text(arguments[i]).c_str());
    return static_cast<size_t>(arguments[i].integer());
  };
  const size_t from = TRY(bound(1, 0));
  const size_t to = TRY(bound(2, size));
  if (from > to) return Error::of(ErrorKind::invalid, "invalid slice index: %zu > %zu", from, to);
  if (value.is_string()) return Value(value.text().substr(from, to - from));
  Value out = Value::array();
  for (size_t i = from; i < to; ++i) out.add(value.items()[i]);
  return out;
}

bool equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return a.real() == b.real();
  return a.json() == b.json();
}

Result<Value> eq(const Arguments& arguments) {
  if (arguments.size() < 2) return Error::of(ErrorKind::invalid, "missing argument for comparison");
  for (size_t i = 1; i < arguments.size(); ++i)
    if (equal(arguments[0], arguments[i])) return Value(true);
  return Value(false);
}

Result<Value> ne(const Arguments& arguments) {
  WANT(2);
  return Value(!equal(arguments[0], arguments[1]));
}

/// -1, 0 or 1.
Result<int> order(const Arguments& arguments) {
  WANT(2);
  const Value& a = arguments[0];
  const Value& b = arguments[1];
  if (a.is_number() && b.is_number()) return a.real() < b.real() ? -1 : a.real() > b.real();
  if (a.is_string() && b.is_string()) return a.text() < b.text() ? -1 : a.text() > b.text();
  return Error::of(ErrorKind::invalid, "incompatible types for comparison");
}
Result<Value> lt(const Arguments& arguments) {
  return Value(TRY(order(arguments)) < 0);
}
Result<Value> le(const Arguments& arguments) {
  return Value(TRY(order(arguments)) <= 0);
}
Result<Value> gt(const Arguments& arguments) {
  return Value(TRY(order(arguments)) > 0);
}
Result<Value> ge(const Arguments& arguments) {
  return Value(TRY(order(arguments)) >= 0);
}

Result<Value> negate(const Arguments& arguments) {
  WANT(1);
  return Value(!truth(arguments[0]));
}

/// Operands are separated by a space where neither side is a string.
Result<Value> print(const Arguments& arguments) {
  std::string out;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (i && !arguments[i].is_string() && !arguments[i - 1].is_string()) out += ' ';
    out += go_text(arguments[i]);
  }
  return Value(out);
}

Result<Value> println(const Arguments& arguments) {
  std::string out;
  for (size_t i = 0; i < arguments.size(); ++i) out.append(i ? " " : "").append(go_text(arguments[i]));
  return Value(out += '\n');
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
/// `spec` is a % and flags alone. One conversion such as %-10s, by the C library, which agrees with Go for these.
std::string convert(std::string spec, char verb, const Value& value) {
  char out[512];
  if (verb == 'q') return value.is_string() ? value.json() : "'" + go_text(value) + "'";
  if (verb == 'v' || verb == 's' || verb == 't') {
    std::string text = go_text(value);
    if (spec == "%") return text;
    spec += 's';
    const int need = snprintf(out, sizeof out, spec.c_str(), text.c_str());
    if (need < static_cast<int>(sizeof out)) return out;
    return text;
  }
  if (strchr("dxXobc", verb) && value.is_number()) {
    spec.append("ll").append(1, verb == 'b' ? 'd' : verb);
    snprintf(out, sizeof out, spec.c_str(), static_cast<long long>(value.real()));
    return out;
  }
  if ((verb == 'x' || verb == 'X') && value.is_string()) {
    std::string digits;
    for (const unsigned char c : value.text()) {
      snprintf(out, sizeof out, verb == 'x' ? "%02x" : "%02X", c);
      digits += out;
    }
    return digits;
  }
  if (strchr("feEgG", verb) && value.is_number()) {
    spec += verb;
    snprintf(out, sizeof out, spec.c_str(), value.real());
    return out;
  }
  return std::string("%!") + verb + "(" + go_text(value) + ")";
}
#pragma GCC diagnostic pop

Result<Value> printf_(const Arguments& arguments) {
  if (arguments.empty()) return wrong_count(1, 0);
  const std::string format = go_text(arguments[0]);
  std::string out;
  size_t next = 1;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    std::string spec = "%";
    for (++i; i < format.size() && strchr("0123456789.+- #", format[i]); ++i)
      if (spec.size() < 16) spec += format[i];
    if (i >= format.size()) return Value(out += "%!(NOVERB)");
    if (format[i] == '%')
      out += '%';
    else if (next >= arguments.size())
      out.append("%!").append(1, format[i]).append("(MISSING)");
    else
      out += convert(std::move(spec), format[i], arguments[next++]);
  }
  return Value(out);
}

Result<Value> join(const Arguments& arguments) {
  WANT(2);
  if (!arguments[0].is_array()) {
    if (arguments[0].is_null()) return Value("");
    return Error::of(ErrorKind::invalid, "join wants a list");
  }
  std::string out;
  bool first = true;
  for (const Value& item : arguments[0].items()) {
    if (!first) out += go_text(arguments[1]);
    first = false;
    out += go_text(item);
  }
  return Value(out);
}

Result<Value> split(const Arguments& arguments) {
  WANT(2);
  const std::string text = go_text(arguments[0]);
  const std::string separator = go_text(arguments[1]);
  Value out = Value::array();
  if (separator.empty()) {
    for (const char c : text) out.add(std::string(1, c));
    return out;
  }
  size_t start = 0;
  for (size_t at; (at = text.find(separator, start)) != std::string::npos; start = at + separator.size())
    out.add(text.substr(start, at - start));
  out.add(text.substr(start));
  return out;
}

Result<Value> lower(const Arguments& arguments) {
  WANT(1);
  std::string text = go_text(arguments[0]);
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return Value(text);
}
Result<Value> upper(const Arguments& arguments) {
  WANT(1);
  std::string text = go_text(arguments[0]);
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return Value(text);
}
Result<Value> title(const Arguments& arguments) {
  WANT(1);
  std::string text = go_text(arguments[0]);
  char before = ' ';
  for (char& c : text) {
    if (before == ' ' && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    before = c;
  }
  return Value(text);
}

Result<Value> pad(const Arguments& arguments) {
  WANT(3);
  if (!arguments[1].is_integer() || !arguments[2].is_integer())
    return Error::of(ErrorKind::invalid, "pad wants two numbers");
  const auto spaces = [](int64_t n) {
    return std::string(static_cast<size_t>(std::clamp<int64_t>(n, 0, 1000)), ' ');
  };
  return Value(spaces(arguments[1].integer()) + go_text(arguments[0]) + spaces(arguments[2].integer()));
}

Result<Value> truncate(const Arguments& arguments) {
  WANT(2);
  if (!arguments[1].is_integer() || arguments[1].integer() < 0)
    return Error::of(ErrorKind::invalid, "truncate wants a length");
  return Value(go_text(arguments[0]).substr(0, static_cast<size_t>(arguments[1].integer())));
}

Result<Value> html(const Arguments& arguments) {
  std::string out;
  for (const char c : go_text(TRY(print(arguments)))) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&#34;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += c;
  }
  return Value(out);
}

// and, or: the evaluator's own; the entries say that they exist.
Result<Value> evaluator(const Arguments&) {
  return Value();
}

constexpr struct {
  std::string_view name;
  Function function;
} kFunctions[] = {
    {"and", evaluator},
    {"eq", eq},
    {"ge", ge},
    {"gt", gt},
    {"html", html},
    {"index", index},
    {"join", join},
    {"json", json},
    {"le", le},
    {"len", length},
    {"lower", lower},
    {"lt", lt},
    {"ne", ne},
    {"not", negate},
    {"or", evaluator},
    {"pad", pad},
    {"prettyjson", pretty_json},
    {"print", print},
    {"printf", printf_},
    {"println", println},
    {"slice", slice},
    {"split", split},
    {"title", title},
    {"truncate", truncate},
    {"upper", upper},
};

}  // namespace

Function find_function(std::string_view name) {
  for (const auto& entry : kFunctions)
    if (entry.name == name) return entry.function;
  return nullptr;
}

}  // namespace go
}  // namespace slipway::cli
