// `run` is `create` and `start` in one; `create` shares its options.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "src/cli/slipway/container_options.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/conversation.h"
#include "src/manager/exit.h"
#include "src/manager/launch.h"
#include "src/manager/lifecycle.h"
#include "src/manager/observe.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr auto kRunOptions =
    join(kContainerOptions,
         std::to_array<Option>({
             flag("detach", 'd', "run in the background and print the id"),
             flag("sig-proxy", 0, "pass signals on to the program (default true)"),
             value("detach-keys", 0, "KEYS", "what leaves the container running (ctrl-p,ctrl-q)"),
         }));

/// The file of --cidfile: made before the container, removed when none came of it.
class CidFile {
 public:
  static Result<CidFile> make(const char* path) {
    CidFile file;
    if (!path) return file;
    file.fd_ = Fd(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file.fd_ && errno == EEXIST)
      return Error::of(ErrorKind::exists,
                       "container ID file found, make sure the other container isn't running or "
                       "delete %s",
                       path);
    if (!file.fd_) return Error::sys(errno, "failed to create the container ID file `%s`", path);
    file.path_ = path;
    return file;
  }
  CidFile(CidFile&& other) noexcept : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, nullptr)) {}
  CidFile& operator=(CidFile&&) = delete;
  ~CidFile() {
    if (path_) unlink(path_);
  }
  Status write(const std::string& id) {
    path_ = nullptr;
    return fd_ ? sys::write_all(fd_.get(), id).ctx("container ID file") : Status();
  }

 private:
  CidFile() = default;
  Fd fd_;
  const char* path_ = nullptr;
};

Result<manager::NewContainer> create(const Call& call, store::Store& store, manager::CreateRequest& request) {
  CidFile cid_file = TRY(CidFile::make(call.args.value("cidfile")));
  auto created = manager::create_container(store, request, call.arena);
  if (!created.ok()) return std::move(created).error();
  TRY(cid_file.write(created->id));
  return std::move(created).value();
}

Result<int> run_create(const Call& call) {
  manager::CreateRequest request;
  request.record = call.arena.make<store::Record>();
  TRY(read_container_options(call, request));
  const auto store = TRY(open_store(call));
  const manager::NewContainer container = TRY(create(call, *store, request));
  TRY(print(container.id + "\n"));
  return 0;
}

Result<int> exit_code_of_lost(store::Store& store, const std::string& id) {
  Arena arena;
  auto observed = manager::observe(store, id, arena);
  if (observed.ok() && observed->status == store::ContainerStatus::exited) return observed->state->exit_code;
  return Error::of(ErrorKind::failed, "the monitor of container %s has ended", id.c_str());
}

Result<int> foreground(const Call& call, store::Store& store, const manager::CreateRequest& request,
                       manager::NewContainer container, const manager::Inherited& inherited,
                       const manager::SignalGuard& signals) {
  const store::ContainerConfig& config = request.record->config;
  manager::StartOptions start;
  start.inherited = &inherited;
  start.attach = (config.attach_stdin ? manager::wire::kWantInput : 0) | manager::wire::kWantOutput;
  if (config.tty) start.window = manager::terminal_size();
  manager::Started started =
      TRY(manager::start_container(store, container.id, std::move(container.dir), start));
  manager::ConversationOptions options;
  options.input = config.attach_stdin;
  options.out = config.attach_stdout;
  options.err = config.attach_stderr;
  options.terminal = config.tty;
  options.proxy_signals = !call.args.given("sig-proxy") || call.args.flag("sig-proxy");
  options.detach_keys = call.args.value("detach-keys", options.detach_keys.c_str());
  const manager::Ending ending =
      TRY(manager::converse(store, container.id, started.conversation, signals, options));
  if (ending.how == manager::Ending::How::lost) return exit_code_of_lost(store, container.id);
  // `run --rm ... | head -1`: the end of the pipeline is the end of the container. Others run on.
  if (ending.how == manager::Ending::How::unread && request.record->host.auto_remove) {
    started.conversation.reset();  // or the monitor would wait for us to read
    (void)manager::delete_container(store, container.id, true, true);
  }
  return ending.exit_code;
}

Result<int> run_run(const Call& call) {
  TRY(protect_binary(call));
  const manager::Inherited inherited = manager::Inherited::now();
  manager::CreateRequest request;
  request.record = call.arena.make<store::Record>();
  request.detach = call.args.flag("detach");
  request.starts = true;
  TRY(read_container_options(call, request));
  const store::ContainerConfig& config = request.record->config;
  if (config.tty && config.attach_stdin && !isatty(STDIN_FILENO))
    return Error::of(ErrorKind::usage, "the input device is not a TTY");
  TRY(manager::DetachKeys::parse(call.args.value("detach-keys", "")));
  const auto store = TRY(open_store(call));
  // A ^C from here on is for the container: it must not leave one behind that nobody has started.
  std::optional<manager::SignalGuard> signals;
  if (!request.detach) signals.emplace(TRY(manager::SignalGuard::begin()));
  manager::NewContainer container = TRY(create(call, *store, request));
  const std::string id = container.id;
  const auto remove_failed = [&](Error error) -> Error {
    if (request.record->host.auto_remove) (void)manager::remove_container(*store, id, true);
    return error;
  };
  if (!request.detach) {
    auto code = foreground(call, *store, request, std::move(container), inherited, *signals);
    if (!code.ok()) return remove_failed(std::move(code).error());
    return *code;
  }
  manager::StartOptions start;
  start.inherited = &inherited;
  auto started = manager::start_container(*store, id, std::move(container.dir), start);
  if (!started.ok()) return remove_failed(std::move(started).error());
  TRY(print(id + "\n"));
  return 0;
}

constexpr Verb kRunVerb = {"run",
                           "IMAGE [COMMAND] [ARG...]",
                           "Run a command in a new container",
                           kRunOptions,
                           1,
                           kNoLimit,
                           true,
                           run_run,
                           "run --rm -it -v \"$PWD:/work\" -w /work busybox sh"};
constexpr Verb kCreateVerb = {"create",
                              "IMAGE [COMMAND] [ARG...]",
                              "Create a new container",
                              kContainerOptions,
                              1,
                              kNoLimit,
                              true,
                              run_create,
                              "create --name web busybox httpd -f"};

}  // namespace

const Verb kRun = kRunVerb;
const Verb kContainerRun = as("container run", kRunVerb);
const Verb kCreate = kCreateVerb;
const Verb kContainerCreate = as("container create", kCreateVerb);

}  // namespace slipway::cli
