#include "src/cli/program.h"

#include <unistd.h>

#include "src/cli/completion.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

/// The log that the global options ask for; options that the program does not have are as if not given.
Result<Log> open_log(const Arguments& globals) {
  const auto text = [&](const char* name, const char* fallback) {
    return globals.has_option(name) ? globals.value(name, fallback) : fallback;
  };
  Log::Level level = TRY(Log::parse_level(text("log-level", "warning")));
  if (globals.has_option("debug") && globals.flag("debug")) level = Log::Level::debug;
  const Log::Format format = TRY(Log::parse_format(text("log-format", "text")));
  return Log::open(text("log", ""), format, level);
}

/// The verb that `words` begin with, the longest name first, and how many words its name has.
const Verb* find_verb(const Program& program, std::span<char* const> words, size_t& taken) {
  const Verb* found = nullptr;
  for (const Verb* verb : program.verbs) {
    const std::string_view name(verb->name);
    const size_t space = name.find(' ');
    if (name.substr(0, space) != words[0]) continue;
    if (space == std::string_view::npos) {
      if (!found) found = verb, taken = 1;
    } else if (words.size() > 1 && name.substr(space + 1) == words[1]) {
      found = verb, taken = 2;
    }
  }
  return found;
}

class Run {
 public:
  Run(const Program& program, char* const* argv, char* const* envp)
      : program_(program), argv_(argv), envp_(envp) {}

  Result<int> operator()(std::span<char* const> words) {
    globals_ = TRY(parse(words, program_.options, true, arena_));
    log_ = TRY(open_log(globals_));
    if (program_.heed) TRY(program_.heed(globals_));
    if (globals_.help()) return show(help_text(program_));
    if (globals_.flag("version")) return show(program_.version());
    if (const char* shell = globals_.value("completion")) return show(TRY(completion_text(program_, shell)));
    std::span<char* const> rest = globals_.positionals();
    if (rest.empty()) return show(help_text(program_));
    if (std::string_view(rest[0]) == "help") {
      rest = rest.subspan(1);
      if (rest.empty()) return show(help_text(program_));
      if (const std::string group = group_help(rest); !group.empty()) return show(group);
      return show(help_text(program_, *TRY(verb(rest))));
    }
    if (const std::string group = group_help(rest); !group.empty()) return show(group);
    verb_ = TRY(verb(rest));
    const Arguments args = TRY(parse(rest, verb_->options, verb_->in_order, arena_));
    if (args.help()) return show(help_text(program_, *verb_));
    miscounted_ = args.size() < verb_->min_args || args.size() > verb_->max_args;
    if (miscounted_) return program_.miscounted(*verb_, args.size());
    return verb_->run({program_, *verb_, globals_, args, log_, arena_, argv_, envp_});
  }

  int report(const Error& error) {
    prefix_ = program_.name;
    if (verb_) prefix_.append(" ").append(verb_->name);
    log_.fatal(prefix_, error.text());
    // Of both, docker and runc: also where a wrong option is told apart by its exit code.
    return miscounted_ ? 1 : program_.exit_code(verb_, error);
  }

 private:
  /// Takes the verb's name off `rest`.
  Result<const Verb*> verb(std::span<char* const>& rest) {
    size_t taken = 0;
    const Verb* found = find_verb(program_, rest, taken);
    if (!found) return unknown(rest);
    rest = rest.subspan(taken);
    return found;
  }

  /// `PROGRAM GROUP` alone or with --help; "" when that is not what the words are.
  std::string group_help(std::span<char* const> words) {
    if (words.size() > 1 && !any_help(words[1])) return {};
    size_t taken = 0;
    return find_verb(program_, words, taken) ? std::string() : group_help_text(program_, words[0]);
  }
  static bool any_help(std::string_view word) { return word == "--help" || word == "-h"; }

  Error unknown(std::span<char* const> words) {
    std::string name = words[0];
    if (words.size() > 1 && !group_help_text(program_, name).empty()) name.append(" ").append(words[1]);
    const std::string_view meant = closest_verb(program_, name);
    if (!meant.empty())
      return Error::of(ErrorKind::usage, "unknown command \"%s\", did you mean \"%.*s\"? (see `%s --help`)",
                       name.c_str(), static_cast<int>(meant.size()), meant.data(), program_.name);
    return Error::of(ErrorKind::usage, "unknown command \"%s\" (see `%s --help`)", name.c_str(),
                     program_.name);
  }

  Result<int> show(const std::string& text) {
    TRY(print(text));
    return 0;
  }

  const Program& program_;
  char* const* argv_;
  char* const* envp_;
  Arena arena_;
  Arguments globals_;
  Log log_;
  const Verb* verb_ = nullptr;
  bool miscounted_ = false;
  std::string prefix_;
};

}  // namespace

int run_program(const Program& program, int argc, char* const* argv, char* const* envp) {
  sys::fill_standard_streams();
  Run run(program, argv, envp);
  const size_t count = argc > 0 ? static_cast<size_t>(argc) - 1 : 0;
  Result<int> result = run({argv + (argc > 0 ? 1 : 0), count});
  return result.ok() ? *result : run.report(result.error());
}

Status print(std::string_view text) {
  return sys::write_all(STDOUT_FILENO, text).ctx("standard output");
}

}  // namespace slipway::cli
