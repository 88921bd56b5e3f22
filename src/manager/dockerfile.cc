#include "src/manager/dockerfile.h"

#include <algorithm>

#include "src/manager/dockerfile_words.h"

namespace slipway::manager {

namespace {

constexpr std::string_view kKnown[] = {"ADD",    "ARG",   "CMD",         "COPY",  "ENTRYPOINT", "ENV",
                                       "EXPOSE", "FROM",  "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
                                       "RUN",    "SHELL", "STOPSIGNAL",  "USER",  "VOLUME",     "WORKDIR"};

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c); });
  return out;
}

/// Without those of HEALTHCHECK and ONBUILD, which read their own. --link is for BuildKit's cache: the layers are the same.
constexpr std::pair<std::string_view, std::string_view> kFlags[] = {
    {"ADD", "chmod"},  {"ADD", "chown"},   {"ADD", "link"},    {"COPY", "chmod"},
    {"COPY", "chown"}, {"COPY", "from"},   {"COPY", "link"},   {"FROM", "platform"},
    {"RUN", "mount"},  {"RUN", "network"}, {"RUN", "security"}};

bool takes_flags(std::string_view instruction) {
  return std::any_of(std::begin(kFlags), std::end(kFlags),
                     [&](const auto& known) { return known.first == instruction; });
}

/// In upper case.
bool is_stage_name(std::string_view name) {
  return !name.empty() && name[0] >= 'A' && name[0] <= 'Z' &&
         name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == std::string_view::npos;
}

/// What can be told before anything is built.
Status check(const Instruction& instruction) {
  const std::string& name = instruction.name;
  const auto bad = [](const char* why, std::string_view what) {
    return Error::of(ErrorKind::invalid, "%s%.*s", why, static_cast<int>(what.size()), what.data());
  };
  for (const auto& [flag, value] : instruction.flags)
    if (std::find(std::begin(kFlags), std::end(kFlags),
                  std::pair<std::string_view, std::string_view>(name, flag)) == std::end(kFlags))
      return bad("Unknown flag: ", flag);
  for (const std::string_view one : {"MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR"})
    if (name == one && instruction.rest.empty())
      return Error::of(ErrorKind::invalid, "%s requires exactly one argument", name.c_str());
  const std::vector<std::string> words = split_words(instruction.rest, '\\');
  if (name == "RUN" && words.empty()) return bad("RUN requires a command", "");
  if (name == "ARG") {
    if (words.empty()) return bad("ARG requires at least one argument", "");
    for (const std::string& word : words)
      if (word.starts_with('=')) return bad("ARG names can not be blank", "");
  }
  if (name == "FROM") {
    if (words.size() != 1 && (words.size() != 3 || upper(words[1]) != "AS"))
      return bad("FROM requires either one or three arguments", "");
    if (words.size() == 3 && !is_stage_name(upper(words[2])))
      return bad("invalid name for build stage: it can't start with a number or contain symbols: ", words[2]);
  }
  if (name == "ONBUILD" && !words.empty()) {
    const std::string trigger = upper(words[0]);
    if (trigger == "ONBUILD") return bad("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", "");
    if (trigger == "FROM" || trigger == "MAINTAINER")
      return Error::of(ErrorKind::invalid, "%s isn't allowed as an ONBUILD trigger", trigger.c_str());
  }
  return {};
}

/// "# escape=`" and the like, before anything else. False for a line that is none.
bool read_directive(std::string_view line, Dockerfile* file) {
  if (!line.starts_with('#')) return false;
  line = trim(line.substr(1));
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string name = upper(trim(line.substr(0, equals)));
  const std::string_view value = trim(line.substr(equals + 1));
  if (name == "ESCAPE" && value.size() == 1) file->escape = value[0];
  return name == "ESCAPE" || name == "SYNTAX" || name == "CHECK";
}

std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

const std::string* Instruction::flag(std::string_view wanted) const {
  for (const auto& [key, value] : flags)
    if (key == wanted) return &value;
  return nullptr;
}

Result<Instruction> parse_instruction(std::string_view line, int number) {
  Instruction out;
  out.line = number;
  line = trim(line);
  out.original = line;
  const size_t space = std::min(line.find_first_of(" \t"), line.size());
  out.name = upper(line.substr(0, space));
  line = trim(line.substr(space));
  if (std::find(std::begin(kKnown), std::end(kKnown), out.name) == std::end(kKnown))
    return Error::of(ErrorKind::invalid, "dockerfile parse error on line %d: unknown instruction: %s", number,
                     out.name.c_str());
  while (takes_flags(out.name) && line.starts_with("--")) {
    const size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view flag = line.substr(2, end - 2);
    line = trim(line.substr(end));
    if (flag.empty()) break;
    const size_t equals = std::min(flag.find('='), flag.size());
    out.flags.emplace_back(flag.substr(0, equals), flag.substr(std::min(equals + 1, flag.size())));
  }
  const bool here = out.name == "RUN" || out.name == "COPY" || out.name == "ADD";
  if (const size_t at = line.find("<<"); here && at != std::string_view::npos &&
                                         (at == 0 || line[at - 1] == ' ') && line.substr(at, 3) != "<<<" &&
                                         !json_words(line))
    return Error::of(ErrorKind::unsupported,
                     "dockerfile parse error on line %d: here-documents are not supported", number);
  out.rest = line;
  TRY(check(out).ctx("dockerfile parse error on line %d", number));
  return out;
}

Result<Dockerfile> parse_dockerfile(std::string_view text) {
  Dockerfile file;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  int number = 0;
  bool directives = true;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const int first = ++number;
    if (directives && read_directive(trim(line), &file)) continue;
    directives = false;
    if (trim(line).empty() || trim(line).starts_with('#')) continue;
    std::string whole;
    for (;;) {
      // An escape at the end of the line (white space behind it does not count) goes on with the next.
      const std::string_view end =
          trim(line).empty() ? line : line.substr(0, line.find_last_not_of(" \t") + 1);
      const bool more = end.ends_with(file.escape);
      whole += more ? end.substr(0, end.size() - 1) : line;
      if (!more) break;
      do {
        if (text.empty()) {
          line = {};
          break;
        }
        line = take_line(text);
        ++number;
        // Comments and empty lines inside an instruction are as if they were not there.
      } while (trim(line).empty() || trim(line).starts_with('#'));
      if (line.empty()) break;
    }
    file.instructions.push_back(TRY(parse_instruction(whole, first)));
  }
  if (file.instructions.empty()) return Error::of(ErrorKind::invalid, "the Dockerfile cannot be empty");
  return file;
}

}  // namespace slipway::manager
