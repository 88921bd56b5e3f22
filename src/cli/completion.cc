#include "src/cli/completion.h"

#include "src/cli/man_page.h"
#include "src/cli/program.h"

namespace slipway::cli {

namespace {

constexpr Option kHelp = flag("help", 0, "print this text");

/// Whether an option's value is a path, so that the shell completes it as one.
bool is_path(const Option& option) {
  const std::string_view name(option.takes_value() ? option.value_name : "");
  return name.ends_with("FILE") || name.ends_with("DIR") || name.ends_with("PATH") ||
         name.ends_with("SOCKET");
}

template <class F>
void each_visible(std::span<const Option> options, F f) {
  for (const Option& option : options)
    if (!option.is_hidden()) f(option);
  f(kHelp);
}

/// In single quotes for any of the three shells.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

std::string words_of(std::span<const Option> options) {
  std::string out;
  each_visible(options, [&](const Option& option) {
    out.append(out.empty() ? "" : " ").append("--").append(option.name);
    if (option.short_name) out.append(" -").append(1, option.short_name);
  });
  return out;
}

std::string verb_words(const Program& program) {
  std::string out;
  for (const Verb* verb : program.verbs) out.append(out.empty() ? "" : " ").append(verb->name);
  return out;
}

std::string listing(const Program& program) {
  std::string out;
  const auto add = [&](const char* verb, std::span<const Option> options) {
    for (const Option& option : options) {
      out.append(verb).append("\t--").append(option.name);
      if (option.short_name) out.append("\t-").append(1, option.short_name);
      out.append("\n");
    }
  };
  add("-", program.options);
  for (const Verb* verb : program.verbs) {
    out.append(verb->name).append("\n");
    add(verb->name, verb->options);
  }
  return out;
}

/// "--root|--log|-x": the options that take a value, as a case pattern; those of paths or the others.
std::string value_pattern(std::span<const Option> options, bool paths) {
  std::string out;
  each_visible(options, [&](const Option& option) {
    if (!option.takes_value() || is_path(option) != paths) return;
    out.append(out.empty() ? "" : "|").append("--").append(option.name);
    if (option.short_name) out.append("|-").append(1, option.short_name);
  });
  return out;
}

std::string bash(const Program& program) {
  const std::string name(program.name);
  std::string out = "# bash completion for " + name + ", written by `" + name + " --completion bash`.\n";
  out +=
      "_" + name + "() {\n  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= i\n";
  out += "  for ((i = 1; i < COMP_CWORD; i++)); do\n    case ${COMP_WORDS[i]} in\n";
  const std::string with_value = value_pattern(program.options, false);
  const std::string with_path = value_pattern(program.options, true);
  for (const std::string& pattern : {with_value, with_path})
    if (!pattern.empty()) out += "      " + pattern + ") ((i++)) ;;\n";
  out += "      -*) ;;\n      *) verb=${COMP_WORDS[i]}; break ;;\n    esac\n  done\n";
  out += "  local words= paths=\n  case $verb in\n";
  const auto branch = [&](std::string_view pattern, std::span<const Option> options,
                          const std::string& more) {
    out.append("    ").append(pattern).append(")\n      words='").append(words_of(options));
    out.append(more.empty() ? "" : " " + more).append("'\n");
    if (const std::string paths = value_pattern(options, true); !paths.empty())
      out.append("      case $prev in ").append(paths).append(") paths=1 ;; esac\n");
    if (const std::string plain = value_pattern(options, false); !plain.empty())
      out.append("      case $prev in ").append(plain).append(") return ;; esac\n");
    out.append("      ;;\n");
  };
  branch("''", program.options, verb_words(program));
  for (const Verb* verb : program.verbs) branch(quoted(verb->name), verb->options, "");
  out += "  esac\n";
  out += "  if [ -n \"$paths\" ]; then\n    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n";
  out += "  elif [[ $cur == -* || -z $verb ]]; then\n";
  out += "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n";
  out += "  else\n    mapfile -t COMPREPLY < <(compgen -W \"$(" + name + " " + program.names_command +
         " 2>/dev/null)\" -- \"$cur\")\n  fi\n}\n";
  out += "complete -o filenames -F _" + name + " " + name + "\n";
  return out;
}

std::string zsh_option(const Option& option) {
  std::string text;
  for (char c : std::string_view(option.help)) {
    if (c == '[' || c == ']' || c == ':') text += '\\';
    text += c;
  }
  std::string value;
  if (option.takes_value())
    value = std::string(":") + option.value_name + ":" + (is_path(option) ? "_files" : "");
  const std::string repeat = option.kind == Option::Kind::list ? "*" : "";
  std::string out = "        " + quoted(repeat + "--" + option.name + "[" + text + "]" + value) + " \\\n";
  if (option.short_name)
    out += "        " + quoted(repeat + "-" + option.short_name + "[" + text + "]" + value) + " \\\n";
  return out;
}

std::string zsh(const Program& program) {
  const std::string name(program.name);
  std::string out =
      "#compdef " + name + "\n# written by `" + name + " --completion zsh`.\n\n_" + name + "() {\n";
  out += "  local state line\n  local -a verbs\n  verbs=(\n";
  for (const Verb* verb : program.verbs)
    out += "    " + quoted(std::string(verb->name) + ":" + verb->summary) + "\n";
  out += "  )\n  _arguments -C \\\n";
  each_visible(program.options, [&](const Option& option) { out += zsh_option(option); });
  out += "        '1: :->verb' '*:: :->args'\n  case $state in\n    verb) _describe command verbs ;;\n";
  out += "    args)\n      case $line[1] in\n";
  for (const Verb* verb : program.verbs) {
    out += "      " + quoted(verb->name) + ") _arguments \\\n";
    each_visible(verb->options, [&](const Option& option) { out += zsh_option(option); });
    out += "        '*: :($(" + name + " " + program.names_command + " 2>/dev/null))' ;;\n";
  }
  out += "      esac ;;\n  esac\n}\n\n_" + name + " \"$@\"\n";
  return out;
}

std::string fish_option(const std::string& head, const Option& option) {
  std::string out = head + " -l " + option.name;
  if (option.short_name) out.append(" -s ").append(1, option.short_name);
  if (option.takes_value()) out += is_path(option) ? " -r -F" : " -x";
  return out + " -d " + quoted(option.help) + "\n";
}

std::string fish(const Program& program) {
  const std::string name(program.name);
  const std::string head = "complete -c " + name;
  std::string out = "# fish completion for " + name + ", written by `" + name + " --completion fish`.\n";
  out += head + " -f\n";
  each_visible(program.options,
               [&](const Option& option) { out += fish_option(head + " -n __fish_use_subcommand", option); });
  for (const Verb* verb : program.verbs) {
    out +=
        head + " -n __fish_use_subcommand -a " + quoted(verb->name) + " -d " + quoted(verb->summary) + "\n";
    const std::string seen = head + " -n " + quoted(std::string("__fish_seen_subcommand_from ") + verb->name);
    each_visible(verb->options, [&](const Option& option) { out += fish_option(seen, option); });
  }
  return out;
}

}  // namespace

Result<std::string> completion_text(const Program& program, std::string_view shell) {
  if (shell == "bash") return bash(program);
  if (shell == "zsh") return zsh(program);
  if (shell == "fish") return fish(program);
  if (shell == "list") return listing(program);
  if (shell == "man") return man_pages(program);
  return Error::of(ErrorKind::usage, "unknown shell \"%.*s\" (bash, zsh or fish)",
                   static_cast<int>(shell.size()), shell.data());
}

}  // namespace slipway::cli
