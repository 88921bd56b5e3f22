#include "oci/challenge.h"

#include <cctype>
#include <cstring>
#include <optional>

namespace slipway::oci {

namespace {

constexpr size_t kParameterLimit = 64;

/// Reads tokens and quoted strings from the front of a header.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }
  /// Commas, of which a list may have more than it needs.
  void skip_commas() {
    for (skip_space(); !rest_.empty() && rest_[0] == ','; skip_space()) rest_.remove_prefix(1);
  }
  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// In lower case; "" when there is none.
  std::string token() {
    std::string out;
    while (!rest_.empty() && is_token(rest_[0])) {
      out += static_cast<char>(tolower(static_cast<unsigned char>(rest_[0])));
      rest_.remove_prefix(1);
    }
    return out;
  }
  std::optional<std::string> value() {
    std::string out;
    if (!take('"')) {
      while (!rest_.empty() && !strchr(",; \t", rest_[0])) {
        out += rest_[0];
        rest_.remove_prefix(1);
      }
      return out;
    }
    while (!rest_.empty()) {
      char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '"') return out;
      if (c == '\\') {
        if (rest_.empty()) return std::nullopt;
        c = rest_[0];
        rest_.remove_prefix(1);
      }
      out += c;
    }
    return std::nullopt;
  }
  std::string_view rest() const { return rest_; }
  void rewind(std::string_view to) { rest_ = to; }

 private:
  static bool is_token(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x80 && (isalnum(byte) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c)));
  }
  std::string_view rest_;
};

}  // namespace

std::string_view Challenge::get(std::string_view name) const {
  for (const auto& [key, value] : parameters)
    if (key == name) return value;
  return {};
}

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> out;
  Reader reader(header);
  size_t parameters = 0;
  for (reader.skip_commas(); !reader.at_end(); reader.skip_commas()) {
    // "NAME=" belongs to the challenge before; a NAME without "=" begins the next one.
    const std::string name = reader.token();
    if (name.empty() || ++parameters > kParameterLimit) break;
    reader.skip_space();
    if (!reader.take('=')) {
      out.push_back({name, {}});
      continue;
    }
    if (out.empty()) break;
    reader.skip_space();
    std::optional<std::string> value = reader.value();
    if (!value) break;
    out.back().parameters.emplace_back(name, std::move(*value));
  }
  return out;
}

std::string next_link(std::string_view header) {
  Reader reader(header);
  for (reader.skip_commas(); reader.take('<'); reader.skip_commas()) {
    const size_t end = reader.rest().find('>');
    if (end == std::string_view::npos) break;
    std::string target(reader.rest().substr(0, end));
    reader.rewind(reader.rest().substr(end + 1));
    for (reader.skip_space(); reader.take(';'); reader.skip_space()) {
      reader.skip_space();
      const std::string name = reader.token();
      reader.skip_space();
      if (!reader.take('=')) continue;
      const std::optional<std::string> value = reader.value();
      if (name == "rel" && value == "next") return target;
    }
  }
  return {};
}

}  // namespace slipway::oci
