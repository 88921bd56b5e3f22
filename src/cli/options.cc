#include "src/cli/options.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace slipway::cli {

namespace {

constexpr Option kHelp = flag("help", 'h', "print this text");

bool any_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (std::string_view word : words)
    if (text == word) return true;
  return false;
}

const Option* find_long(std::span<const Option> options, std::string_view name) {
  for (const Option& option : options)
    if (name == option.name) return &option;
  return name == kHelp.name ? &kHelp : nullptr;
}

const Option* find_short(std::span<const Option> options, char name) {
  for (const Option& option : options)
    if (option.short_name == name) return &option;
  return name == kHelp.short_name ? &kHelp : nullptr;
}

}  // namespace

Result<bool> parse_bool(std::string_view text) {
  if (any_of(text, {"1", "t", "T", "true", "True", "TRUE", "yes"})) return true;
  if (any_of(text, {"0", "f", "F", "false", "False", "FALSE", "no"})) return false;
  return Error::of(ErrorKind::usage, "invalid boolean value \"%.*s\"", static_cast<int>(text.size()),
                   text.data());
}

/// One pass over the words; see parse().
class Parser {
 public:
  Parser(std::span<char* const> words, std::span<const Option> options, bool in_order, Arena& arena)
      : words_(words), options_(options), in_order_(in_order), matches_(arena), positionals_(arena) {}

  Result<Arguments> run() {
    while (at_ < words_.size() && !help_) {
      char* word = words_[at_++];
      if (word[0] != '-' || word[1] == 0) {  // "-" alone is a file name
        positionals_.add(word);
        if (in_order_) break;
      } else if (std::string_view(word) == "--") {
        break;
      } else {
        TRY(option(word));
      }
    }
    while (at_ < words_.size()) positionals_.add(words_[at_++]);
    Arguments out;
    out.options_ = options_;
    out.matches_ = matches_.list();
    out.positionals_ = {positionals_.list().items, positionals_.list().count};
    out.help_ = help_;
    return out;
  }

 private:
  Status option(const char* word) {
    const bool two_dashes = word[1] == '-';
    const std::string_view rest(word + (two_dashes ? 2 : 1));
    const std::string_view name = rest.substr(0, rest.find('='));
    // One letter after one dash is always the short option.
    const Option* found = two_dashes || name.size() > 1 ? find_long(options_, name) : nullptr;
    if (found)
      return long_option(*found, word, name.size() == rest.size() ? nullptr : &rest[name.size() + 1]);
    if (two_dashes)
      return Error::of(ErrorKind::usage, "unknown flag: --%.*s", static_cast<int>(name.size()), name.data());
    return short_options(word);
  }

  Status long_option(const Option& option, const char* word, const char* attached) {
    if (!option.takes_value()) return set_flag(option, attached);
    if (!attached) {
      if (at_ == words_.size()) return Error::of(ErrorKind::usage, "flag needs an argument: %s", word);
      attached = words_[at_++];
    }
    return add(option, attached);
  }

  Status short_options(const char* word) {
    for (const char* p = word + 1; *p; ++p) {
      const Option* option = find_short(options_, *p);
      if (!option) {
        if (p == word + 1 && p[1]) return Error::of(ErrorKind::usage, "unknown flag: %s", word);
        return Error::of(ErrorKind::usage, "unknown shorthand flag: '%c' in %s", *p, word);
      }
      if (!option->takes_value()) {
        if (p[1] == '=') return set_flag(*option, p + 2);
        TRY(set_flag(*option, nullptr));
        continue;
      }
      if (p[1]) return add(*option, p + (p[1] == '=' ? 2 : 1));
      if (at_ == words_.size())
        return Error::of(ErrorKind::usage, "flag needs an argument: '%c' in %s", *p, word);
      return add(*option, words_[at_++]);
    }
    return {};
  }

  Status set_flag(const Option& option, const char* attached) {
    bool on = true;
    if (attached) on = TRY(parse_bool(attached).ctx("--%s", option.name));
    if (&option == &kHelp) {
      help_ = on;
      return {};
    }
    return add(option, on ? "true" : nullptr);
  }

  Status add(const Option& option, const char* value) {
    matches_.add({&option, value});
    return {};
  }

  std::span<char* const> words_;
  std::span<const Option> options_;
  bool in_order_;
  bool help_ = false;
  size_t at_ = 0;
  ListBuilder<Arguments::Match> matches_;
  ListBuilder<char*> positionals_;
};

Result<Arguments> parse(std::span<char* const> words, std::span<const Option> options, bool in_order,
                        Arena& arena) {
  return Parser(words, options, in_order, arena).run();
}

bool Arguments::has_option(std::string_view name) const {
  for (const Option& option : options_)
    if (name == option.name) return true;
  return false;
}

const Option* Arguments::find(std::string_view name) const {
  for (const Option& option : options_)
    if (name == option.name) return &option;
  fprintf(stderr, "option `%.*s` is not in the verb's table\n", static_cast<int>(name.size()), name.data());
  abort();
}

const Arguments::Match* Arguments::last(const Option* option) const {
  for (size_t i = matches_.size(); i-- > 0;)
    if (matches_[i].option == option) return &matches_[i];
  return nullptr;
}

bool Arguments::given(std::string_view name) const {
  return last(find(name)) != nullptr;
}

bool Arguments::flag(std::string_view name) const {
  const Match* match = last(find(name));
  return match && match->value;
}

const char* Arguments::value(std::string_view name, const char* fallback) const {
  const Match* match = last(find(name));
  return match ? match->value : fallback;
}

Result<int64_t> Arguments::number(std::string_view name, int64_t fallback, int64_t min, int64_t max) const {
  const char* text = value(name);
  if (!text) return fallback;
  char* end = nullptr;
  errno = 0;
  const long long number = strtoll(text, &end, 10);
  const bool digits =
      (text[0] >= '0' && text[0] <= '9') || (text[0] == '-' && text[1] >= '0' && text[1] <= '9');
  if (!digits || *end || errno || number < min || number > max)
    return Error::of(ErrorKind::usage, "invalid value \"%s\" for --%.*s", text, static_cast<int>(name.size()),
                     name.data());
  return static_cast<int64_t>(number);
}

List<const char*> Arguments::values(std::string_view name, Arena& arena) const {
  const Option* option = find(name);
  ListBuilder<const char*> found(arena);
  for (const Match& match : matches_)
    if (match.option == option) found.add(match.value);
  return found.list();
}

}  // namespace slipway::cli
