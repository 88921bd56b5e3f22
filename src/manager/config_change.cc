#include "src/manager/config_change.h"

#include <algorithm>
#include <charconv>

#include "oci/names.h"
#include "src/base/quantity.h"

namespace slipway::manager {

namespace {

constexpr std::string_view kKnown[] = {"CMD",         "ENTRYPOINT", "ENV",     "EXPOSE",
                                       "HEALTHCHECK", "LABEL",      "ONBUILD", "SHELL",
                                       "STOPSIGNAL",  "USER",       "VOLUME",  "WORKDIR"};

Error bad(std::string_view instruction, const char* why) {
  return Error::of(ErrorKind::invalid, "%.*s %s", static_cast<int>(instruction.size()), instruction.data(),
                   why);
}

template <class T>
void append(Arena& arena, List<T>& list, T item) {
  ListBuilder<T> builder(arena);
  for (const T& old : list) builder.add(old);
  builder.add(item);
  list = builder.list();
}

void add_key(Arena& arena, Map<json::Raw>& map, std::string_view key) {
  if (map.find(key)) return;
  Entry<json::Raw> entry;
  entry.key = arena.copy(key);
  entry.value.text = "{}";
  append<Entry<json::Raw>>(arena, map, entry);
}

Result<int> port_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > 65535)
    return Error::of(ErrorKind::invalid, "Invalid containerPort: %.*s", static_cast<int>(text.size()),
                     text.data());
  return number;
}

}  // namespace

std::string clean_path(std::string_view base, std::string_view path) {
  std::string joined =
      path.starts_with('/') ? std::string(path) : std::string(base) + "/" + std::string(path);
  std::vector<std::string_view> parts;
  std::string_view rest = joined;
  while (!rest.empty()) {
    const size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  std::string out;
  for (const std::string_view part : parts) out.append("/").append(part);
  return out.empty() ? "/" : out;
}

bool ConfigChanger::knows(std::string_view instruction) {
  return std::find(std::begin(kKnown), std::end(kKnown), instruction) != std::end(kKnown);
}

std::optional<std::string> ConfigChanger::environment(std::string_view name) const {
  for (const Str& entry : config_.env) {
    const std::string_view text = entry;
    if (text.size() > name.size() && text[name.size()] == '=' && text.starts_with(name))
      return std::string(text.substr(name.size() + 1));
  }
  return std::nullopt;
}

void ConfigChanger::set_environment(std::string_view name, std::string_view value) {
  const Str entry = arena_.copy(std::string(name) + "=" + std::string(value));
  bool found = false;
  ListBuilder<Str> builder(arena_);
  for (const Str& old : config_.env) {
    const std::string_view text = old;
    const bool same = text.substr(0, text.find('=')) == name;
    if (!same) builder.add(old);
    if (same && !found) builder.add(entry);
    found = found || same;
  }
  if (!found) builder.add(entry);
  config_.env = builder.list();
}

void ConfigChanger::set_label(std::string_view name, std::string_view value) {
  for (Entry<Str>& label : config_.labels) {
    if (!(label.key == name)) continue;
    label.value = arena_.copy(value);
    return;
  }
  Entry<Str> entry;
  entry.key = arena_.copy(name);
  entry.value = arena_.copy(value);
  append<Entry<Str>>(arena_, config_.labels, entry);
}

List<Str> ConfigChanger::list(const std::vector<std::string>& words) {
  List<Str> out = arena_.list<Str>(words.size());
  for (size_t i = 0; i < words.size(); ++i) out[i] = arena_.copy(words[i]);
  return out;
}

Status ConfigChanger::apply_line(std::string_view line) {
  line = trim(line);
  const size_t space = std::min(line.find_first_of(" \t"), line.size());
  std::string instruction(line.substr(0, space));
  std::transform(instruction.begin(), instruction.end(), instruction.begin(),
                 [](unsigned char c) { return static_cast<char>(toupper(c)); });
  if (!knows(instruction))
    return Error::of(ErrorKind::invalid, "%s is not a valid change command", instruction.c_str());
  return apply(instruction, trim(line.substr(space)),
               [&](std::string_view name) { return environment(name); });
}

Status ConfigChanger::apply(std::string_view instruction, std::string_view rest, const Variables& variables) {
  const auto expanded = [&] { return expand_word(rest, variables, escape_); };
  if (rest.empty() && instruction != "CMD" && instruction != "ENTRYPOINT")
    return bad(instruction, "requires at least one argument");
  if (instruction == "CMD") {
    cmd_set_ = true;
    return command(rest, config_.cmd);
  }
  if (instruction == "ENTRYPOINT") {
    // The inherited CMD were arguments of another program.
    if (!cmd_set_) config_.cmd = {};
    return command(rest, config_.entrypoint);
  }
  if (instruction == "ENV" || instruction == "LABEL") return pairs(instruction, rest, variables);
  if (instruction == "EXPOSE") return expose(rest, variables);
  if (instruction == "HEALTHCHECK") return healthcheck(rest);
  if (instruction == "WORKDIR") return workdir(rest, variables);
  if (instruction == "USER") {
    config_.user = arena_.copy(TRY(expanded()));
    return {};
  }
  if (instruction == "STOPSIGNAL") {
    config_.stop_signal = arena_.copy(TRY(expanded()));
    if (!oci::parse_signal(config_.stop_signal).ok())
      return Error::of(ErrorKind::invalid, "Invalid signal: %s", config_.stop_signal.c_str());
    return {};
  }
  if (instruction == "ONBUILD") {
    append(arena_, config_.on_build, arena_.copy(rest));
    return {};
  }
  if (instruction == "SHELL") {
    const auto words = json_words(rest);
    if (!words) return bad(instruction, "requires the arguments to be in JSON form");
    if (words->empty()) return bad(instruction, "requires at least one argument");
    config_.shell = list(*words);
    return {};
  }
  // VOLUME
  const auto json = json_words(rest);
  if (json && json->empty()) return bad(instruction, "requires at least one argument");
  for (const std::string& word : json ? *json : split_words(rest, escape_)) {
    const std::string path = TRY(expand_word(word, variables, escape_));
    if (path.empty()) return bad(instruction, "specified can not be an empty string");
    add_key(arena_, config_.volumes, path);
  }
  return {};
}

/// JSON, or a line for the shell.
Status ConfigChanger::command(std::string_view rest, List<Str>& out) {
  if (const auto words = json_words(rest)) {
    out = list(*words);
    return {};
  }
  std::vector<std::string> words;
  if (!rest.empty()) {
    if (config_.shell.empty()) words = {"/bin/sh", "-c"};
    for (const Str& word : config_.shell) words.emplace_back(word.view());
    words.emplace_back(rest);
  }
  out = list(words);
  return {};
}

/// "a=1 b='2 3'", or the old "a all the rest".
Status ConfigChanger::pairs(std::string_view instruction, std::string_view rest, const Variables& variables) {
  const auto set = [&](std::string_view name, std::string_view value) {
    if (instruction == "ENV") {
      set_environment(name, value);
    } else {
      set_label(name, value);
    }
  };
  const std::vector<std::string> words = split_words(rest, escape_);
  if (words[0].find('=') == std::string::npos) {
    if (words.size() < 2) return bad(instruction, "must have two arguments");
    const std::string_view value = trim(rest.substr(words[0].size()));
    set(TRY(expand_word(words[0], variables, escape_)), TRY(expand_word(value, variables, escape_)));
    return {};
  }
  // All values are seen before any is set: `ENV a=1 b=$a` takes the old a.
  std::vector<std::pair<std::string, std::string>> found;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos)
      return Error::of(ErrorKind::invalid,
                       "Syntax error - can't find = in \"%s\". Must be of the form: name=value",
                       word.c_str());
    std::string name = TRY(expand_word(std::string_view(word).substr(0, equals), variables, escape_));
    if (name.empty()) return bad(instruction, "names can not be blank");
    found.emplace_back(std::move(name),
                       TRY(expand_word(std::string_view(word).substr(equals + 1), variables, escape_)));
  }
  for (const auto& [name, value] : found) set(name, value);
  return {};
}

Status ConfigChanger::expose(std::string_view rest, const Variables& variables) {
  for (const std::string& word : TRY(expand_words(rest, variables, escape_))) {
    const std::string_view text = word;
    const size_t slash = text.find('/');
    const std::string protocol(slash == std::string_view::npos ? "tcp" : text.substr(slash + 1));
    if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
      return Error::of(ErrorKind::invalid, "Invalid proto: %s", protocol.c_str());
    std::string_view ports = text.substr(0, slash);
    // "8080:80" as -p has it: the host's part means nothing in an image.
    if (const size_t colon = ports.rfind(':'); colon != std::string_view::npos)
      ports.remove_prefix(colon + 1);
    const size_t dash = ports.find('-');
    const int first = TRY(port_number(ports.substr(0, dash)));
    const int last = dash == std::string_view::npos ? first : TRY(port_number(ports.substr(dash + 1)));
    if (last < first)
      return Error::of(ErrorKind::invalid, "Invalid range specified for the Port: %s", word.c_str());
    for (int port = first; port <= last; ++port)
      add_key(arena_, config_.exposed_ports, std::to_string(port) + "/" + protocol);
  }
  return {};
}

Status ConfigChanger::healthcheck(std::string_view rest) {
  auto* check = arena_.make<oci::ImageHealthcheck>();
  while (rest.starts_with("--")) {
    const size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    const std::string_view option = rest.substr(2, end - 2);
    rest = trim(rest.substr(end));
    const size_t equals = option.find('=');
    const std::string_view name = option.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : option.substr(equals + 1);
    if (name == "interval") {
      check->interval = TRY(parse_duration(value));
    } else if (name == "timeout") {
      check->timeout = TRY(parse_duration(value));
    } else if (name == "start-period") {
      check->start_period = TRY(parse_duration(value));
    } else if (name == "start-interval") {
      check->start_interval = TRY(parse_duration(value));
    } else if (name == "retries") {
      const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), check->retries);
      if (error != std::errc() || stop != value.data() + value.size())
        return bad("HEALTHCHECK", "--retries must be a number");
      if (check->retries < 1)
        return Error::of(ErrorKind::invalid, "--retries must be at least 1 (not %d)", check->retries);
    } else {
      return Error::of(ErrorKind::invalid, "unknown flag: %.*s", static_cast<int>(name.size()), name.data());
    }
  }
  const size_t space = std::min(rest.find_first_of(" \t"), rest.size());
  const std::string_view type = rest.substr(0, space);
  const std::string_view command = trim(rest.substr(space));
  for (const auto& [name, duration] :
       {std::pair("interval", check->interval), std::pair("timeout", check->timeout),
        std::pair("start-period", check->start_period), std::pair("start-interval", check->start_interval)})
    if (duration != 0 && duration < 1'000'000)
      return Error::of(ErrorKind::invalid, "Interval \"%s\" cannot be less than 1ms", name);
  if (type == "NONE" || type == "none") {
    if (!command.empty()) return bad("HEALTHCHECK", "NONE takes no arguments");
    check->test = list({"NONE"});
  } else if (type == "CMD" || type == "cmd") {
    if (command.empty()) return Error::of(ErrorKind::invalid, "Missing command after HEALTHCHECK CMD");
    std::vector<std::string> words = {"CMD-SHELL", std::string(command)};
    if (const auto json = json_words(command)) {
      words = {"CMD"};
      words.insert(words.end(), json->begin(), json->end());
    }
    check->test = list(words);
  } else {
    return Error::of(ErrorKind::invalid, "Unknown type \"%.*s\" in HEALTHCHECK (try CMD)",
                     static_cast<int>(type.size()), type.data());
  }
  config_.healthcheck = check;
  return {};
}

Status ConfigChanger::workdir(std::string_view rest, const Variables& variables) {
  const std::string path = TRY(expand_word(rest, variables, escape_));
  if (path.empty()) return Error::of(ErrorKind::invalid, "cannot normalize nothing");
  config_.working_dir = arena_.copy(clean_path(config_.working_dir, path));
  return {};
}

}  // namespace slipway::manager
