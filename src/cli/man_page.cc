#include "src/cli/man_page.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "src/cli/program.h"

namespace slipway::cli {

namespace {

/// Text for roff: a hyphen that is typed, no escapes, no line that begins with a request.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '-') out += '\\';
    out += c;
    if (c == '\\') out += 'e';
  }
  if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
  return out;
}

std::string sentence(std::string_view text) {
  std::string out = roff(text);
  if (!out.empty()) out[0] = static_cast<char>(toupper(static_cast<unsigned char>(out[0])));
  return out + (out.ends_with('.') ? "\n" : ".\n");
}

/// "slipway-volume-create".
std::string page_name(const Program& program, const Verb& verb) {
  std::string name = std::string(program.name) + "-" + verb.name;
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

void option_entry(std::string& out, const Option& option) {
  out += ".TP\n";
  if (option.short_name) out.append("\\fB\\-").append(1, option.short_name).append("\\fR, ");
  out.append("\\fB\\-\\-").append(roff(option.name)).append("\\fR");
  if (option.takes_value()) out.append(" \\fI").append(roff(option.value_name)).append("\\fR");
  const std::string repeat = option.kind == Option::Kind::list ? " (repeatable)" : "";
  out.append("\n").append(sentence(option.help + repeat));
}

std::string page(const Program& program, const Verb& verb) {
  const std::string name = roff(page_name(program, verb));
  std::string title = name;
  for (char& c : title) c = static_cast<char>(toupper(static_cast<unsigned char>(c)));
  std::string summary = verb.summary;
  summary[0] = static_cast<char>(tolower(static_cast<unsigned char>(summary[0])));
  std::string out = ".TH " + title + " 1 \"\" " + program.name + " \"User commands\"\n";
  out += ".SH NAME\n" + name + " \\- " + roff(summary) + "\n.SH SYNOPSIS\n.B " + program.name + " " +
         verb.name + "\n";
  const std::string arguments = (verb.options.empty() ? "" : "[OPTIONS] ") + std::string(verb.arguments);
  if (!arguments.empty()) out += ".I " + roff(arguments) + "\n";
  out += ".SH DESCRIPTION\n" + sentence(verb.summary) + ".SH OPTIONS\n";
  for (const Option& option : verb.options)
    if (!option.is_hidden()) option_entry(out, option);
  option_entry(out, flag("help", 0, "print a summary of this page"));
  if (verb.example)
    out += std::string(".SH EXAMPLE\n.nf\n") + program.name + " " + roff(verb.example) + "\n.fi\n";
  return out + ".SH \"SEE ALSO\"\n.BR " + program.name + " (1)\n";
}

}  // namespace

std::string man_pages(const Program& program) {
  std::string out;
  for (size_t i = 0; i < program.verbs.size(); ++i) {
    const Verb& verb = *program.verbs[i];
    out += "\f" + page_name(program, verb) + ".1\n";
    const auto same = [&](const Verb* other) { return other->run == verb.run; };
    const Verb* first = *std::find_if(program.verbs.begin(), program.verbs.end(), same);
    out += first == &verb ? page(program, verb) : ".so man1/" + page_name(program, *first) + ".1\n";
  }
  return out;
}

}  // namespace slipway::cli
