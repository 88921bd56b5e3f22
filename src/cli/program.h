// A program as data: its verbs and options; and the frame around a verb: parse, check, run, report, exit
// code.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "src/base/arena.h"
#include "src/base/result.h"
#include "src/cli/log.h"
#include "src/cli/options.h"

namespace slipway::cli {

struct Verb;
struct Program;

/// One run of one verb; what its function gets.
struct Call {
  const Program& program;
  const Verb& verb;
  const Arguments& globals;  // the program's options
  const Arguments& args;     // the verb's own
  const Log& log;
  Arena& arena;
  char* const* argv;  // as main got it, for re-execution
  char* const* envp;
};

inline constexpr uint16_t kNoLimit = std::numeric_limits<uint16_t>::max();

struct Verb {
  const char* name;       // one word, or two: "volume create"
  const char* arguments;  // the positionals as --help shows them: "ID [SIGNAL]"
  const char* summary;    // one line, capitalised, no full stop
  std::span<const Option> options;
  uint16_t min_args;
  uint16_t max_args;  // kNoLimit
  bool in_order;      // option parsing stops at the first positional
  /// The exit code. An error is reported by run_program and turned into an exit code by Program::exit_code.
  Result<int> (*run)(const Call& call);
  const char* example = nullptr;  // what --help shows, without the program's name
};

/// What every program's own table must begin with.
inline constexpr auto kProgramOptions = std::to_array<Option>({
    flag("version", 'v', "print the version and exit"),
    value("completion", 0, "SHELL", "print the completions for a shell: bash, zsh or fish"),
});

struct Program {
  const char* name;
  const char* summary;
  std::span<const Option> options;  // before the verb; kProgramOptions and more
  std::span<const Verb* const> verbs;
  const char* names_command;  // prints what IDs and names there are, for the completions: "list -q"
  std::string (*version)();   // the text of --version
  int (*exit_code)(const Verb* verb, const Error& error);
  Error (*miscounted)(const Verb& verb, size_t count);  // more or fewer positionals than the verb takes
  Status (*heed)(const Arguments& globals) = nullptr;  // what the program's options mean for all of its verbs
};

/// The whole program. `argv` and `envp` as main gets them.
int run_program(const Program& program, int argc, char* const* argv, char* const* envp);

/// The text of `PROGRAM --help` (verbs of two words, "volume create", are shown as groups) and `PROGRAM VERB --help`.
std::string help_text(const Program& program);
std::string help_text(const Program& program, const Verb& verb);
/// The text of `PROGRAM GROUP --help`: the verbs of two words that begin with `group`; "" when there are none.
std::string group_help_text(const Program& program, std::string_view group);
/// The verb or group that a mistyped word is closest to; "" when none is close.
std::string_view closest_verb(const Program& program, std::string_view word);

/// Writes all of it to standard output.
Status print(std::string_view text);

}  // namespace slipway::cli
