// --help, from the tables.
#include <algorithm>
#include <utility>
#include <vector>

#include "src/cli/program.h"

namespace slipway::cli {

namespace {

std::string left_column(const Option& option) {
  std::string text = "  ";
  if (option.short_name)
    text.append("-").append(1, option.short_name).append(", ");
  else
    text.append("    ");
  text.append("--").append(option.name);
  if (option.takes_value()) text.append(" ").append(option.value_name);
  return text;
}

void rows(std::string& out, std::span<const std::pair<std::string, std::string>> table) {
  size_t width = 0;
  for (const auto& row : table) width = std::max(width, row.first.size());
  for (const auto& [left, right] : table)
    out.append(left).append(width + 2 - left.size(), ' ').append(right).append("\n");
}

void options_table(std::string& out, std::span<const Option> options) {
  std::vector<std::pair<std::string, std::string>> table;
  for (const Option& option : options)
    if (!option.is_hidden())
      table.emplace_back(left_column(option), std::string(option.help) +
                                                  (option.kind == Option::Kind::list ? " (repeatable)" : ""));
  table.emplace_back("      --help", "print this text");
  out.append("\nOptions:\n");
  rows(out, table);
}

/// "container" has the commands for containers; the store itself is what "system" is about.
std::string group_summary(const std::string& group) {
  return group == "system" ? "Commands for the store as a whole" : "Commands for " + group + "s";
}

}  // namespace

std::string help_text(const Program& program) {
  std::string out =
      std::string("Usage: ") + program.name + " [OPTIONS] COMMAND [ARG...]\n\n" + program.summary + "\n";
  std::vector<std::pair<std::string, std::string>> verbs;
  std::vector<std::pair<std::string, std::string>> groups;
  for (const Verb* verb : program.verbs) {
    const std::string_view name(verb->name);
    const std::string group = "  " + std::string(name.substr(0, name.find(' ')));
    if (name.find(' ') == std::string_view::npos)
      verbs.emplace_back(group, verb->summary);
    else if (std::none_of(groups.begin(), groups.end(), [&](const auto& row) { return row.first == group; }))
      groups.emplace_back(group, group_summary(group.substr(2)));
  }
  out.append("\nCommands:\n");
  rows(out, verbs);
  if (!groups.empty()) {
    out.append("\nGroups of commands:\n");
    rows(out, groups);
  }
  options_table(out, program.options);
  out.append("\n`").append(program.name).append(" COMMAND --help` tells more about a command.\n");
  return out;
}

std::string help_text(const Program& program, const Verb& verb) {
  std::string out = std::string("Usage: ") + program.name + " " + verb.name;
  if (!verb.options.empty()) out.append(" [OPTIONS]");
  if (verb.arguments[0]) out.append(" ").append(verb.arguments);
  out.append("\n\n").append(verb.summary).append("\n");
  options_table(out, verb.options);
  if (verb.example)
    out.append("\nExample:\n  ").append(program.name).append(" ").append(verb.example).append("\n");
  return out;
}

std::string group_help_text(const Program& program, std::string_view group) {
  std::vector<std::pair<std::string, std::string>> verbs;
  for (const Verb* verb : program.verbs) {
    const std::string_view name(verb->name);
    if (name.size() > group.size() && name.starts_with(group) && name[group.size()] == ' ')
      verbs.emplace_back("  " + std::string(name.substr(group.size() + 1)), verb->summary);
  }
  if (verbs.empty()) return {};
  std::string out = std::string("Usage: ") + program.name + " ";
  out.append(group).append(" COMMAND [ARG...]\n\nCommands:\n");
  rows(out, verbs);
  return out;
}

}  // namespace slipway::cli
