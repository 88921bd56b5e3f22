// `stop` and `restart`.
#include <optional>

#include "oci/names.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/events.h"
#include "src/manager/launch.h"
#include "src/manager/lifecycle.h"
#include "src/store/containers.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("signal", 's', "SIGNAL", "what to send first (default: the image's, else TERM)"),
    value("time", 't', "SECONDS", "how long to wait before it is killed; -1: for ever (default 10)"),
    value("timeout", 0, "SECONDS", "the same as --time"),
});

Result<std::optional<int>> timeout(const Call& call) {
  const char* name = call.args.given("time") ? "time" : "timeout";
  if (!call.args.given(name)) return std::optional<int>();
  return std::optional<int>(static_cast<int>(TRY(call.args.number(name, 10, -1, 1'000'000'000))));
}

/// --signal; nothing for what the container says.
Result<std::optional<int>> signal(const Call& call) {
  const char* name = call.args.value("signal");
  if (!name) return std::optional<int>();
  auto number = oci::parse_signal(name);
  if (!number.ok() || *number < 1) return Error::of(ErrorKind::invalid, "Invalid signal: %s", name);
  return std::optional<int>(*number);
}

Result<int> run_stop(const Call& call) {
  const std::optional<int> seconds = TRY(timeout(call));
  const std::optional<int> first = TRY(signal(call));
  const auto store = TRY(open_store(call));
  return for_each_argument(call, [&](std::string_view name) -> Status {
    const std::string id = TRY(store::Containers(*store).find(name));
    TRY(manager::stop_container(*store, id, seconds, first));
    return print(std::string(name) + "\n");
  });
}

Result<int> run_restart(const Call& call) {
  const std::optional<int> seconds = TRY(timeout(call));
  const std::optional<int> first = TRY(signal(call));
  const auto store = TRY(open_store(call));
  return for_each_argument(call, [&](std::string_view name) -> Status {
    store::Containers containers(*store);
    const std::string id = TRY(containers.find(name));
    Arena arena;
    const store::Record* record = TRY(containers.load(id, arena));
    Fd lock;
    if (record->host.auto_remove) {
      // Or its end would be its removal, by its monitor or by somebody who finds it ended.
      lock = TRY(containers.lock(id));
      TRY(manager::set_restarting(*store, id, true));
    }
    TRY(manager::stop_container(*store, id, seconds, first));
    if (!lock) lock = TRY(containers.lock(id));
    TRY(manager::set_restarting(*store, id, false));
    TRY(manager::set_stopped(*store, id, false));
    TRY(manager::start_container(*store, id, std::move(lock), {}));
    manager::container_event(*store, "restart", *record);
    return print(std::string(name) + "\n");
  });
}

constexpr Verb kStopVerb = {"stop", "CONTAINER...", "Stop running containers", kOptions, 1, kNoLimit,
                            false,  run_stop,       "stop -t 3 web db"};
constexpr Verb kRestartVerb = {
    "restart",   "CONTAINER...", "Stop containers and start them again", kOptions, 1, kNoLimit, false,
    run_restart, "restart web"};

}  // namespace

const Verb kStop = kStopVerb;
const Verb kContainerStop = as("container stop", kStopVerb);
const Verb kRestart = kRestartVerb;
const Verb kContainerRestart = as("container restart", kRestartVerb);

}  // namespace slipway::cli
