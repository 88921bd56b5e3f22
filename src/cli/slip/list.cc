// slip list: the containers of one root.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "src/cli/slip/globals.h"
#include "src/cli/slip/state_json.h"
#include "src/cli/slip/verbs.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("format", 'f', "FORMAT", "table or json (default: table)"),
    flag("quiet", 'q', "print the IDs only"),
});

constexpr size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

/// Columns of at least 12, three apart: the last one is not padded.
std::string as_table(const std::vector<runtime::State>& states) {
  std::vector<Row> rows = {{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for (const runtime::State& state : states)
    rows.push_back({state.id, std::to_string(shown_pid(state)), runtime::to_string(state.status),
                    state.bundle, state.created, state.owner});
  std::array<size_t, kColumns> width{};
  for (const Row& row : rows)
    for (size_t i = 0; i < kColumns; ++i) width[i] = std::max({width[i], row[i].size() + 3, size_t{12}});
  std::string out;
  for (const Row& row : rows) {
    for (size_t i = 0; i + 1 < kColumns; ++i) out.append(row[i]).append(width[i] - row[i].size(), ' ');
    out.append(row.back()).append("\n");
  }
  return out;
}

std::string as_json(const std::vector<runtime::State>& states) {
  json::Writer out;
  out.begin_array();
  for (const runtime::State& state : states) write_state(out, state);
  out.end_array();
  return std::string(out.text()) + "\n";
}

std::string as_ids(const std::vector<runtime::State>& states) {
  std::string out;
  for (const runtime::State& state : states) out.append(state.id).append("\n");
  return out;
}

/// Nothing has ever run here: that is fine for the default root, and a mistake for one that was named.
Result<std::vector<runtime::State>> states_of(const Globals& globals) {
  struct stat stat;
  if (lstat(globals.context.root.c_str(), &stat) < 0) {
    if (errno == ENOENT && !globals.explicit_root) return std::vector<runtime::State>();
    return Error::sys(errno, "root `%s`", globals.context.root.c_str());
  }
  return runtime::list_states(globals.context);
}

Result<int> run(const Call& call) {
  const Globals globals = TRY(read_globals(call));
  const std::string_view format = call.args.value("format", "table");
  if (format != "table" && format != "json")
    return Error::of(ErrorKind::usage, "invalid format option \"%s\" (table or json)", format.data());
  const std::vector<runtime::State> states = TRY(states_of(globals));
  const std::string text = call.args.flag("quiet") ? as_ids(states)
                           : format == "json"      ? as_json(states)
                                                   : as_table(states);
  if (!text.empty()) TRY(print(text));
  return 0;
}

}  // namespace

const Verb kListVerb = {
    .name = "list",
    .arguments = "",
    .summary = "List the containers",
    .options = kOptions,
    .min_args = 0,
    .max_args = 0,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
