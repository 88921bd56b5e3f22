#include "src/cli/completion.h"

#include <algorithm>
#include <vector>

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

/// The first word of a verb of two: "container" of "container run".
std::string_view group_of(const Verb& verb) {
  const std::string_view name(verb.name);
  const size_t space = name.find(' ');
  return space == std::string_view::npos ? std::string_view() : name.substr(0, space);
}

std::string_view last_word(const Verb& verb) {
  const std::string_view group = group_of(verb);
  return std::string_view(verb.name).substr(group.empty() ? 0 : group.size() + 1);
}

std::vector<std::string_view> groups_of(const Program& program) {
  std::vector<std::string_view> groups;
  for (const Verb* verb : program.verbs)
    if (const std::string_view group = group_of(*verb);
        !group.empty() && std::find(groups.begin(), groups.end(), group) == groups.end())
      groups.push_back(group);
  return groups;
}

std::string joined(const std::vector<std::string_view>& words, const char* between) {
  std::string out;
  for (const std::string_view word : words) out.append(out.empty() ? "" : between).append(word);
  return out;
}

/// What may come next: the verbs of one word and the groups, or the verbs of a group.
std::string verb_words(const Program& program, std::string_view group) {
  std::vector<std::string_view> words;
  for (const Verb* verb : program.verbs)
    if (group_of(*verb) == group) words.push_back(last_word(*verb));
  if (group.empty())
    for (const std::string_view one : groups_of(program)) words.push_back(one);
  return joined(words, " ");
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
  out += "      -*) ;;\n      *) verb=${verb:+$verb }${COMP_WORDS[i]}\n";
  const std::vector<std::string_view> groups = groups_of(program);
  if (!groups.empty()) out += "        case $verb in " + joined(groups, "|") + ") continue ;; esac\n";
  out += "        break ;;\n    esac\n  done\n";
  out += "  local words= paths= verbs=\n  case $verb in\n";
  const auto branch = [&](std::string_view pattern, std::span<const Option> options,
                          const std::string& more) {
    out.append("    ").append(pattern).append(")\n      words='").append(words_of(options));
    out.append(more.empty() ? "'\n" : " " + more + "' verbs=1\n");
    if (const std::string paths = value_pattern(options, true); !paths.empty())
      out.append("      case $prev in ").append(paths).append(") paths=1 ;; esac\n");
    if (const std::string plain = value_pattern(options, false); !plain.empty())
      out.append("      case $prev in ").append(plain).append(") return ;; esac\n");
    out.append("      ;;\n");
  };
  branch("''", program.options, verb_words(program, ""));
  for (const Verb* verb : program.verbs) branch(quoted(verb->name), verb->options, "");
  for (const std::string_view group : groups) branch(quoted(group), {}, verb_words(program, group));
  out += "  esac\n";
  out += "  if [ -n \"$paths\" ]; then\n    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n";
  out += "  elif [[ $cur == -* || -n $verbs ]]; then\n";
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
  std::string out = "#compdef " + name + "\n# written by `" + name + " --completion zsh`.\n\n";
  // A function for the verbs of a group, and one for the rest.
  const auto function = [&](const std::string& own_name, std::string_view group,
                            std::span<const Option> options) {
    out += own_name + "() {\n  local state line\n  local -a verbs\n  verbs=(\n";
    for (const Verb* verb : program.verbs)
      if (group_of(*verb) == group)
        out += "    " + quoted(std::string(last_word(*verb)) + ":" + verb->summary) + "\n";
    if (group.empty())
      for (const std::string_view one : groups_of(program)) out += "    " + quoted(one) + "\n";
    out += "  )\n  _arguments -C \\\n";
    each_visible(options, [&](const Option& option) { out += zsh_option(option); });
    out += "        '1: :->verb' '*:: :->args'\n  case $state in\n    verb) _describe command verbs ;;\n";
    out += "    args)\n      case $line[1] in\n";
    for (const Verb* verb : program.verbs) {
      if (group_of(*verb) != group) continue;
      out += "      " + quoted(last_word(*verb)) + ") _arguments \\\n";
      each_visible(verb->options, [&](const Option& option) { out += zsh_option(option); });
      out += "        '*: :($(" + name + " " + program.names_command + " 2>/dev/null))' ;;\n";
    }
    if (group.empty())
      for (const std::string_view one : groups_of(program))
        out += "      " + quoted(one) + ") _" + name + "_" + std::string(one) + " ;;\n";
    out += "      esac ;;\n  esac\n}\n\n";
  };
  for (const std::string_view group : groups_of(program))
    function("_" + name + "_" + std::string(group), group, {});
  function("_" + name, "", program.options);
  out += "_" + name + " \"$@\"\n";
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
  // A group stands before its verbs, some of which are called like verbs of one word.
  const std::vector<std::string_view> groups = groups_of(program);
  const std::string no_group =
      groups.empty() ? "" : "; and not __fish_seen_subcommand_from " + joined(groups, " ");
  for (const std::string_view group : groups)
    out += head + " -n __fish_use_subcommand -a " + quoted(group) + "\n";
  for (const Verb* verb : program.verbs) {
    const std::string group(group_of(*verb)), word(last_word(*verb));
    const std::string in_group = "__fish_seen_subcommand_from " + group;
    const std::string place =
        group.empty()
            ? "__fish_use_subcommand"
            : quoted(in_group + "; and not __fish_seen_subcommand_from " + verb_words(program, group));
    out += head + " -n " + place + " -a " + quoted(word) + " -d " + quoted(verb->summary) + "\n";
    const std::string seen = "__fish_seen_subcommand_from " + word;
    const std::string where = quoted(group.empty() ? seen + no_group : in_group + "; and " + seen);
    each_visible(verb->options,
                 [&](const Option& option) { out += fish_option(head + " -n " + where, option); });
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
