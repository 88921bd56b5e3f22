// `logs`: what a container has written.
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "src/cli/slipway/format.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/log_reader.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("follow", 'f', "go on until the container stops"),
    flag("timestamps", 't', "show when each line was written"),
    value("since", 0, "TIME", "only lines since then: RFC 3339, a UNIX time, or \"10m\" for ten minutes ago"),
    value("until", 0, "TIME", "only lines before then"),
    value("tail", 'n', "NUMBER", "so many lines from the end (default all)"),
    flag("details", 0, "show the labels and variables of --log-opt labels= and env="),
});

struct Window {
  int64_t since = INT64_MIN, until = INT64_MAX;
};

Result<Window> window(const Call& call) {
  Window out;
  if (const char* text = call.args.value("since"))
    out.since = TRY(parse_moment(text).ctx("invalid value for \"since\""));
  if (const char* text = call.args.value("until"))
    out.until = TRY(parse_moment(text).ctx("invalid value for \"until\""));
  return out;
}

/// A number, or "all" as -1.
Result<int64_t> tail(const Call& call) {
  const std::string_view text = call.args.value("tail", "all");
  if (text == "all") return -1;
  return call.args.number("tail", -1, -1, INT64_MAX);
}

/// What --log-opt labels=A,B and env=C,D name of the container, as docker shows it before each line.
std::string details(const store::Record& record) {
  std::vector<std::string> found;
  const auto each = [&](const char* option, auto&& visit) {
    const Str* names = record.host.log_config.config.find(option);
    for (std::string_view rest = names ? names->view() : std::string_view(); !rest.empty();) {
      const size_t comma = std::min(rest.find(','), rest.size());
      visit(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  };
  each("labels", [&](std::string_view name) {
    if (const Str* label = record.config.labels.find(name))
      found.push_back(std::string(name) + "=" + label->c_str());
  });
  each("env", [&](std::string_view name) {
    for (const Str variable : record.config.env)
      if (variable.view().starts_with(std::string(name) + "=")) found.emplace_back(variable.view());
  });
  std::sort(found.begin(), found.end());
  std::string text;
  for (const std::string& one : found) text += (text.empty() ? "" : ",") + one;
  return text + " ";
}

Result<int> run(const Call& call) {
  const Window span = TRY(window(call));
  const int64_t count = TRY(tail(call));
  const auto store = TRY(open_store(call));
  store::Containers containers(*store);
  const std::string id = TRY(containers.find(call.args[0]));
  const store::Record* record = TRY(containers.load(id, call.arena));
  const std::string_view driver = record->host.log_config.type;
  if (driver != "json-file" && driver != "local" && !driver.empty())
    return Error::of(ErrorKind::unsupported, "configured logging driver does not support reading");
  const bool times = call.args.flag("timestamps");
  const std::string extra = call.args.flag("details") ? details(*record) : std::string();
  const Fd dir = TRY(containers.open(id));
  manager::LogReader reader(dir.get());
  bool past_end = false;
  const auto visit = [&](const manager::LogEntry& entry) {
    if (entry.time_ns > span.until) return !(past_end = true);
    if (entry.time_ns < span.since) return true;
    const std::string line = (times ? std::string(entry.time) + " " : "") + extra + entry.text;
    return sys::write_all(entry.is_stderr ? STDERR_FILENO : STDOUT_FILENO, line).ok();
  };
  TRY(reader.existing(count, visit));
  while (call.args.flag("follow") && !past_end) {
    Arena arena;
    auto observed = manager::observe(*store, id, arena);
    const bool alive =
        observed.ok() && (observed->is_running() || observed->status == store::ContainerStatus::restarting);
    TRY(reader.more(visit));
    if (!alive) break;
    reader.wait(1000);
  }
  return 0;
}

constexpr Verb kVerb = {"logs",   "CONTAINER", "Show what a container has written",
                        kOptions, 1,           1,
                        false,    run,         "logs -f --tail 20 web"};

}  // namespace

const Verb kLogs = kVerb;
const Verb kContainerLogs = as("container logs", kVerb);

}  // namespace slipway::cli
