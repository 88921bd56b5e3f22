// `attach`: this terminal, and the streams of a container that runs.
#include <fcntl.h>

#include "src/cli/slipway/attach.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/events.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("no-stdin", 0, "do not attach standard input"),
    flag("sig-proxy", 0, "pass signals on to the program (default true)"),
    value("detach-keys", 0, "KEYS", "what leaves the container running (ctrl-p,ctrl-q)"),
});

Result<int> run(const Call& call) {
  const auto store = TRY(open_store(call));
  store::Containers containers(*store);
  const std::string id = TRY(containers.find(call.args[0]));
  const store::Record* record = TRY(containers.load(id, call.arena));
  const manager::Observed observed = TRY(manager::observe(*store, id, call.arena));
  if (observed.status == store::ContainerStatus::paused)
    return Error::of(ErrorKind::in_use, "You cannot attach to a paused container, unpause it first");
  if (observed.status == store::ContainerStatus::restarting)
    return Error::of(ErrorKind::in_use,
                     "You cannot attach to a restarting container, wait until it is running");
  if (!observed.is_running())
    return Error::of(ErrorKind::in_use, "You cannot attach to a stopped container, start it first");
  const manager::Ending ending = TRY(attach_to_running(call, *store, *record, !call.args.flag("no-stdin")));
  // As docker: `run` and `start` have done their work when the user goes, these two have not.
  if (ending.how == manager::Ending::How::detached)
    return Error::of(ErrorKind::failed, "read escape sequence");
  return ending.exit_code;
}

constexpr Verb kVerb = {"attach", "CONTAINER", "Attach to the streams of a running container",
                        kOptions, 1,           1,
                        false,    run,         "attach --no-stdin web"};

}  // namespace

Result<manager::Ending> attach_to_running(const Call& call, store::Store& store, const store::Record& record,
                                          bool input) {
  const std::string id(record.id.view());
  const Fd dir = TRY(sys::open_at(store.run_fd(), manager::monitor_dir(id).c_str(), O_RDONLY | O_DIRECTORY)
                         .ctx("container %s has no monitor", id.c_str()));
  const Fd socket = TRY(manager::wire::connect(dir.get(), "socket"));
  const manager::SignalGuard signals = TRY(manager::SignalGuard::begin());
  manager::ConversationOptions options;
  options.input = input && record.config.open_stdin;
  options.terminal = record.config.tty;
  options.proxy_signals = !call.args.given("sig-proxy") || call.args.flag("sig-proxy");
  options.detach_keys = call.args.value("detach-keys", options.detach_keys.c_str());
  const uint8_t wants = (options.input ? manager::wire::kWantInput : 0) | manager::wire::kWantOutput;
  TRY(manager::wire::send(socket.get(), manager::wire::kAttach, &wants, sizeof wants, true));
  manager::container_event(store, "attach", record);
  return manager::converse(store, id, socket, signals, options);
}

const Verb kAttach = kVerb;
const Verb kContainerAttach = as("container attach", kVerb);

}  // namespace slipway::cli
