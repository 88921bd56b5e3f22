// `logs`: what a container has written.
#include <unistd.h>

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
    flag("details", 0, "show extra details (there are none)"),
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
  const Fd dir = TRY(containers.open(id));
  manager::LogReader reader(dir.get());
  bool past_end = false;
  const auto visit = [&](const manager::LogEntry& entry) {
    if (entry.time_ns > span.until) return !(past_end = true);
    if (entry.time_ns < span.since) return true;
    std::string line = times ? std::string(entry.time) + " " + entry.text : entry.text;
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
