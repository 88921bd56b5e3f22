#include "src/manager/dockerfile_words.h"

#include <fnmatch.h>

#include <algorithm>

#include "src/base/json.h"

namespace {
struct Words {
  slipway::List<slipway::Str> words;
};
}  // namespace
JSON_OBJECT(Words, JSON_FIELD(Words, words, "words"));

namespace slipway::manager {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_name_start(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// One word, from left to right.
class Expander {
 public:
  Expander(std::string_view word, const Variables& variables, char escape)
      : word_(word), variables_(variables), escape_(escape) {}

  /// Up to `stop` (not taken), or to the end with 0.
  Result<std::string> run(char stop) {
    std::string out;
    while (at_ < word_.size() && word_[at_] != stop) {
      const char c = word_[at_];
      if (c == '\'') {
        TRY(single_quoted(out));
      } else if (c == '"') {
        TRY(double_quoted(out));
      } else if (c == '$') {
        out += TRY(variable());
      } else if (c == escape_) {
        ++at_;
        if (at_ < word_.size()) out += word_[at_++];
      } else {
        out += c;
        ++at_;
      }
    }
    return out;
  }

 private:
  Status single_quoted(std::string& out) {
    const size_t end = word_.find('\'', at_ + 1);
    if (end == std::string_view::npos)
      return bad("unexpected end of statement while looking for matching single-quote");
    out += word_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return {};
  }

  Status double_quoted(std::string& out) {
    ++at_;
    while (at_ < word_.size() && word_[at_] != '"') {
      const char c = word_[at_];
      if (c == '$') {
        out += TRY(variable());
        continue;
      }
      if (c == escape_ && at_ + 1 < word_.size()) {
        const char next = word_[at_ + 1];
        // Only these lose the escape; before anything else it stays.
        if (next != '"' && next != '$' && next != escape_) out += c;
        out += next;
        at_ += 2;
        continue;
      }
      out += c;
      ++at_;
    }
    if (at_ == word_.size())
      return bad("unexpected end of statement while looking for matching double-quote");
    ++at_;
    return {};
  }

  Result<std::string> variable() {
    ++at_;
    if (at_ < word_.size() && word_[at_] == '{') {
      ++at_;
      return braced();
    }
    const std::string name = take_name();
    if (name.empty()) return std::string("$");
    return variables_(name).value_or("");
  }

  std::string take_name() {
    size_t end = at_;
    if (end < word_.size() && is_name_start(word_[end])) {
      while (end < word_.size() && (is_name_start(word_[end]) || is_digit(word_[end]))) ++end;
    } else if (end < word_.size() && is_digit(word_[end])) {
      while (end < word_.size() && is_digit(word_[end])) ++end;
    }
    std::string name(word_.substr(at_, end - at_));
    at_ = end;
    return name;
  }

  Result<std::string> braced() {
    const std::string name = take_name();
    if (name.empty()) return bad("bad substitution");
    if (at_ == word_.size()) return bad("syntax error: missing '}'");
    const std::optional<std::string> value = variables_(name);
    if (word_[at_] == '}') {
      ++at_;
      return value.value_or("");
    }
    const bool colon = word_[at_] == ':';
    if (colon) ++at_;
    if (at_ == word_.size()) return bad("syntax error: missing '}'");
    const char action = word_[at_++];
    const bool twice = !colon && at_ < word_.size() && word_[at_] == action;
    if (twice && (action == '#' || action == '%' || action == '/')) ++at_;
    if (action == '/') return TRY(replaced(value.value_or(""), twice));
    const std::string argument = TRY(run('}'));
    TRY(close());
    const bool have = value && !(colon && value->empty());
    switch (action) {
      case '-':
        return have ? *value : argument;
      case '+':
        return have ? argument : std::string();
      case '?':
        if (!have)
          return Error::of(ErrorKind::invalid, "%s: %s", name.c_str(),
                           argument.empty() ? "is not allowed to be unset" : argument.c_str());
        return *value;
      case '#':
      case '%':
        if (!colon) return without(value.value_or(""), argument, action == '#', twice);
        break;
      default:
        break;
    }
    return bad("unsupported modifier in substitution");
  }

  Status close() {
    if (at_ == word_.size()) return bad("syntax error: missing '}'");
    ++at_;
    return {};
  }

  /// ${v/pattern/text}, behind the slash.
  Result<std::string> replaced(const std::string& value, bool all) {
    const std::string pattern = TRY(run('/'));
    TRY(close());
    const std::string text = TRY(run('}'));
    TRY(close());
    std::string out;
    for (size_t at = 0; at < value.size();) {
      size_t length = value.size() - at;
      while (length > 0 && !glob(pattern, std::string_view(value).substr(at, length))) --length;
      if (length == 0) {
        out += value[at++];
        continue;
      }
      out += text;
      at += length;
      if (!all) return out + value.substr(at);
    }
    return out;
  }

  static std::string without(const std::string& value, const std::string& pattern, bool front, bool longest) {
    const std::string_view all(value);
    for (size_t i = 0; i <= all.size(); ++i) {
      const size_t length = longest ? all.size() - i : i;
      const std::string_view part = front ? all.substr(0, length) : all.substr(all.size() - length);
      if (glob(pattern, part))
        return std::string(front ? all.substr(length) : all.substr(0, all.size() - length));
    }
    return value;
  }

  Error bad(const char* why) const {
    return Error::of(ErrorKind::invalid, "failed to process \"%.*s\": %s", static_cast<int>(word_.size()),
                     word_.data(), why);
  }

  std::string_view word_;
  const Variables& variables_;
  char escape_;
  size_t at_ = 0;
};

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool glob(std::string_view pattern, std::string_view text) {
  return fnmatch(std::string(pattern).c_str(), std::string(text).c_str(), 0) == 0;
}

bool path_glob(std::string_view pattern, std::string_view text) {
  return fnmatch(std::string(pattern).c_str(), std::string(text).c_str(), FNM_PATHNAME) == 0;
}

std::vector<std::string> split_words(std::string_view text, char escape) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  bool inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!quote && is_space(c)) {
      if (inside) words.push_back(std::move(word));
      word.clear();
      inside = false;
      continue;
    }
    inside = true;
    word += c;
    if (c == escape && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
    } else if (quote) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    }
  }
  if (inside) words.push_back(std::move(word));
  return words;
}

Result<std::string> expand_word(std::string_view word, const Variables& variables, char escape) {
  return Expander(word, variables, escape).run('\0');
}

Result<std::vector<std::string>> expand_words(std::string_view text, const Variables& variables,
                                              char escape) {
  std::vector<std::string> out;
  for (const std::string& word : split_words(text, escape))
    out.push_back(TRY(expand_word(word, variables, escape)));
  return out;
}

std::optional<std::vector<std::string>> json_words(std::string_view text) {
  text = trim(text);
  if (!text.starts_with('[')) return std::nullopt;
  Arena arena;
  const std::string wrapped = "{\"words\":" + std::string(text) + "}";
  Result<Words*> read = json::read<Words>(wrapped, json::type<Words>, arena);
  if (!read.ok()) return std::nullopt;
  std::vector<std::string> words;
  for (const Str& word : (*read)->words) words.emplace_back(word.view());
  return words;
}

}  // namespace slipway::manager
