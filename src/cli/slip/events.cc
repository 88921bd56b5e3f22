// slip events: statistics and out-of-memory events of a container, one line of JSON each.
#include "src/runtime/events.h"

#include "src/base/quantity.h"
#include "src/cli/slip/globals.h"
#include "src/cli/slip/verbs.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("interval", 0, "TIME", "how often to print statistics: 5s, 1m30s (default: 5s)"),
    flag("stats", 0, "print the statistics once and exit"),
});

Result<int> run(const Call& call) {
  const Globals globals = TRY(read_globals(call));
  const auto print_line = [](std::string_view text) { return print(std::string(text) + "\n"); };
  if (call.args.flag("stats")) {
    const std::string line = TRY(runtime::stats_line(globals.context, call.args[0]));
    TRY(print_line(line));
    return 0;
  }
  const int64_t interval =
      TRY(parse_duration(call.args.value("interval", "5s")).ctx("--interval")) / 1'000'000;
  if (interval <= 0)
    return Error::of(ErrorKind::usage, "duration interval must be greater than 0 and at least 1ms");
  TRY(runtime::watch_events(globals.context, call.args[0], interval, print_line));
  return 0;
}

}  // namespace

const Verb kEventsVerb = {
    .name = "events",
    .arguments = "ID",
    .summary = "Show statistics and out-of-memory events of a container",
    .options = kOptions,
    .min_args = 1,
    .max_args = 1,
    .in_order = false,
    .run = run,
};

}  // namespace slipway::cli
