#include "src/cli/slipway/environment.h"

#include <fcntl.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr size_t kFileLimit = 1 << 20;
constexpr char kByteOrderMark[] = "\xef\xbb\xbf";

}  // namespace

List<Str> option_texts(const Call& call, const char* option) {
  const List<const char*> values = call.args.values(option, call.arena);
  List<Str> out = call.arena.list<Str>(values.count);
  for (size_t i = 0; i < values.count; ++i) out[i] = Str::wrap(values[i]);
  return out;
}

Result<List<Str>> file_lines(const Call& call, const char* option) {
  ListBuilder<Str> lines(call.arena);
  for (const char* path : call.args.values(option, call.arena)) {
    const std::string content = TRY(sys::read_file_at(AT_FDCWD, path, kFileLimit));
    for (size_t at = content.starts_with(kByteOrderMark) ? 3 : 0; at < content.size();) {
      const size_t end = std::min(content.find('\n', at), content.size());
      std::string_view line = std::string_view(content).substr(at, end - at);
      at = end + 1;
      if (line.ends_with('\r')) line.remove_suffix(1);
      const size_t start = line.find_first_not_of(" \t");
      if (start == std::string_view::npos || line[start] == '#') continue;
      line.remove_prefix(start);
      const std::string_view key = line.substr(0, line.find('='));
      if (key.empty())
        return Error::of(ErrorKind::usage, "poorly formatted environment: no variable name on line '%.*s'",
                         static_cast<int>(line.size()), line.data());
      if (key.find_first_of(" \t") != std::string_view::npos)
        return Error::of(ErrorKind::usage,
                         "poorly formatted environment: variable '%.*s' contains whitespaces",
                         static_cast<int>(key.size()), key.data());
      lines.add(call.arena.copy(line));
    }
  }
  return lines.list();
}

Result<List<Str>> read_environment(const Call& call) {
  ListBuilder<Str> env(call.arena);
  const auto add = [&](Str item, bool unset) {
    if (strchr(item.c_str(), '=')) {
      env.add(item);
    } else if (const char* value = getenv(item.c_str())) {
      env.add(call.arena.format("%s=%s", item.c_str(), value));
    } else if (unset) {
      env.add(item);
    }
  };
  for (const Str line : TRY(file_lines(call, "env-file"))) add(line, false);
  for (const Str item : option_texts(call, "env")) {
    if (item.empty() || item.c_str()[0] == '=')
      return Error::of(ErrorKind::usage, "invalid environment variable: %s", item.c_str());
    add(item, true);
  }
  return env.list();
}

}  // namespace slipway::cli
