#include "src/cli/slipway/pairs.h"

#include "src/base/value.h"
#include "src/cli/slipway/environment.h"

namespace slipway::cli {

Result<Map<Str>> read_pairs(const Call& call, const char* option, bool value_needed) {
  return read_pairs(option, option_texts(call, option), value_needed, call.arena);
}

Result<Map<Str>> read_pairs(const char* option, List<Str> words, bool value_needed, Arena& arena) {
  ListBuilder<Entry<Str>> entries(arena);
  for (const Str word : words) {
    const size_t equals = word.view().find('=');
    if (equals == 0 || word.empty() || (value_needed && equals == std::string_view::npos))
      return Error::of(ErrorKind::usage, "invalid argument \"%s\" for --%s: must be KEY=VALUE", word.c_str(),
                       option);
    const Str key = arena.copy(word.view().substr(0, equals));
    const Str value = equals == std::string_view::npos ? Str() : Str::wrap(word.c_str() + equals + 1);
    Entry<Str>* known = nullptr;
    for (Entry<Str>& entry : entries.list())
      if (entry.key == key.view()) known = &entry;
    if (known)
      known->value = value;
    else
      entries.add({key, value});
  }
  Map<Str> map;
  static_cast<List<Entry<Str>>&>(map) = entries.list();
  return map;
}

std::string joined_pairs(const Map<Str>& pairs) {
  std::string text;
  const Value sorted = Value::map_of(pairs);
  for (const Value::Member& pair : sorted.members())
    text.append(text.empty() ? "" : ",").append(pair.key).append("=").append(pair.value.text());
  return text;
}

std::vector<std::string> csv_fields(std::string_view line) {
  std::vector<std::string> fields;
  for (size_t at = 0; at < line.size();) {
    std::string field;
    bool quoted = line[at] == '"';
    for (at += quoted; at < line.size() && (quoted || line[at] != ','); ++at) {
      if (!quoted || line[at] != '"')
        field += line[at];
      else if (line.substr(at, 2) == "\"\"")
        field += line[at++];
      else
        quoted = false;
    }
    fields.push_back(std::move(field));
    ++at;
  }
  return fields;
}

}  // namespace slipway::cli
