// `start`: containers that exist and do not run.
#include "src/cli/slipway/attach.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/events.h"
#include "src/manager/launch.h"
#include "src/manager/leftovers.h"
#include "src/manager/lifecycle.h"
#include "src/store/containers.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("attach", 'a', "attach to its output and pass signals on"),
    flag("interactive", 'i', "attach to its standard input"),
    value("detach-keys", 0, "KEYS", "what leaves the container running (ctrl-p,ctrl-q)"),
    flag("sig-proxy", 0, "pass signals on to the program (default true)"),
});

/// Takes the lock, and nothing when it runs already.
Result<std::optional<Fd>> claim(store::Store& store, const std::string& id) {
  Arena arena;
  Fd lock = TRY(store::Containers(store).lock(id));
  const manager::Observed observed = TRY(manager::observe(store, id, arena));
  if (observed.status == store::ContainerStatus::paused)
    return Error::of(ErrorKind::in_use, "cannot start a paused container, try unpause instead");
  if (observed.is_running() || observed.status == store::ContainerStatus::restarting)
    return std::optional<Fd>();
  TRY(manager::set_stopped(store, id, false));
  return std::optional<Fd>(std::move(lock));
}

Status start_detached(store::Store& store, std::string_view name) {
  const std::string id = TRY(store::Containers(store).find(name));
  std::optional<Fd> lock = TRY(claim(store, id));
  if (lock) TRY(manager::start_container(store, id, std::move(*lock), {}));
  return print(std::string(name) + "\n");
}

Result<int> start_attached(const Call& call, store::Store& store) {
  store::Containers containers(store);
  const std::string id = TRY(containers.find(call.args[0]));
  const store::Record* record = TRY(containers.load(id, call.arena));
  std::optional<Fd> lock = TRY(claim(store, id));
  if (!lock) return TRY(attach_to_running(call, store, *record, call.args.flag("interactive"))).exit_code;
  const manager::SignalGuard signals = TRY(manager::SignalGuard::begin());
  manager::ConversationOptions options;
  options.input = call.args.flag("interactive") && record->config.open_stdin;
  options.terminal = record->config.tty;
  options.proxy_signals = !call.args.given("sig-proxy") || call.args.flag("sig-proxy");
  options.detach_keys = call.args.value("detach-keys", options.detach_keys.c_str());
  manager::StartOptions start;
  start.attach = (options.input ? manager::wire::kWantInput : 0) | manager::wire::kWantOutput;
  if (record->config.tty) start.window = manager::terminal_size();
  manager::container_event(store, "attach", *record);
  const manager::Started started = TRY(manager::start_container(store, id, std::move(*lock), start));
  return TRY(manager::converse(store, id, started.conversation, signals, options)).exit_code;
}

Result<int> run(const Call& call) {
  const auto store = TRY(open_store(call));
  TRY(manager::collect_leftovers(*store));
  if (call.args.flag("attach") || call.args.flag("interactive")) {
    if (call.args.size() > 1)
      return Error::of(ErrorKind::invalid, "you cannot start and attach multiple containers at once");
    return start_attached(call, *store);
  }
  return for_each_argument(call, [&](std::string_view name) { return start_detached(*store, name); });
}

constexpr Verb kVerb = {"start", "CONTAINER...", "Start stopped containers", kOptions, 1, kNoLimit, false,
                        run,     "start -a web"};

}  // namespace

const Verb kStart = kVerb;
const Verb kContainerStart = as("container start", kVerb);

}  // namespace slipway::cli
