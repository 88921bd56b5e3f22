// Command-line options as data: one constant table per verb, read by the parser, by --help, by the shell
// completions and by the check of the man pages.
//
// What is accepted: `--name VALUE`, `--name=VALUE`, the same with one dash (go-runc sends `-no-subreaper`),
// `-n VALUE`, `-nVALUE`, `-n=VALUE`, flags in one word (`-it`), `--flag=false`, `--` and, unless the verb
// says in_order, options after positionals. Nothing is copied: results point into argv and into the arena.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "src/base/arena.h"
#include "src/base/result.h"

namespace slipway::cli {

struct Option {
  enum class Kind : uint8_t {
    flag,    // no value, or =true and =false
    value,   // the last one counts
    list,    // may be repeated
    hidden,  // a flag that is accepted, for another program's callers, and has no effect; not in --help
    hidden_value,
  };

  const char* name;        // without dashes
  char short_name;         // or 0
  const char* value_name;  // "FILE"; nullptr for a flag. FILE, PATH and DIR are completed as such
  const char* help;        // one line, lower case, no full stop
  Kind kind = Kind::flag;

  constexpr bool takes_value() const { return value_name != nullptr; }
  constexpr bool is_hidden() const { return kind == Kind::hidden || kind == Kind::hidden_value; }
};

constexpr Option flag(const char* name, char short_name, const char* help) {
  return {name, short_name, nullptr, help, Option::Kind::flag};
}
constexpr Option value(const char* name, char short_name, const char* value_name, const char* help) {
  return {name, short_name, value_name, help, Option::Kind::value};
}
constexpr Option list(const char* name, char short_name, const char* value_name, const char* help) {
  return {name, short_name, value_name, help, Option::Kind::list};
}
/// Accepted and without effect; the help text says for whom.
constexpr Option ignored_flag(const char* name, const char* help) {
  return {name, 0, nullptr, help, Option::Kind::hidden};
}
constexpr Option ignored_value(const char* name, const char* value_name, const char* help) {
  return {name, 0, value_name, help, Option::Kind::hidden_value};
}

/// One table out of two: options that verbs share come first.
template <size_t N, size_t M>
constexpr std::array<Option, N + M> join(const std::array<Option, N>& a, const std::array<Option, M>& b) {
  std::array<Option, N + M> all{};
  for (size_t i = 0; i < N; ++i) all[i] = a[i];
  for (size_t i = 0; i < M; ++i) all[N + i] = b[i];
  return all;
}

/// Those of a table that another verb has, too. A name that is not in the table does not compile.
template <size_t N, class... Names>
consteval std::array<Option, sizeof...(Names)> pick(const std::array<Option, N>& table, Names... names) {
  const auto find = [&](std::string_view name) {
    size_t i = 0;
    while (table.at(i).name != name) ++i;
    return table[i];
  };
  return {find(names)...};
}

/// What the command line said, for one table. Asking for an option that the table does not have is a
/// programming error and aborts.
class Arguments {
 public:
  /// `--help` or `-h` was among the options (the rest was not checked).
  bool help() const { return help_; }
  /// The option was given, with whatever value.
  bool given(std::string_view name) const;
  bool flag(std::string_view name) const;
  /// The last value, or the fallback.
  const char* value(std::string_view name, const char* fallback = nullptr) const;
  /// The last value as a whole decimal number.
  Result<int64_t> number(std::string_view name, int64_t fallback, int64_t min, int64_t max) const;
  /// All values in the order given.
  List<const char*> values(std::string_view name, Arena& arena) const;
  bool has_option(std::string_view name) const;

  std::span<char* const> positionals() const { return positionals_; }
  const char* operator[](size_t i) const { return positionals_[i]; }
  size_t size() const { return positionals_.size(); }

 private:
  friend class Parser;
  struct Match {
    const Option* option;
    const char* value;  // flags: nullptr when false
  };
  const Option* find(std::string_view name) const;
  const Match* last(const Option* option) const;

  std::span<const Option> options_;
  List<Match> matches_;
  std::span<char* const> positionals_;
  bool help_ = false;
};

/// Parses `words` (without the program's or verb's own name). With `in_order` parsing ends at the first
/// positional, and all from there on is positional. Errors are ErrorKind::usage.
Result<Arguments> parse(std::span<char* const> words, std::span<const Option> options, bool in_order,
                        Arena& arena);

/// Go's spellings, which runc takes, and yes and no, which crun takes.
Result<bool> parse_bool(std::string_view text);

}  // namespace slipway::cli
