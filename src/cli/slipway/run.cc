// `run` is `create` and `start` in one; `create` shares its options.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>

#include "src/cli/slipway/container_options.h"
#include "src/cli/slipway/pull.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/conversation.h"
#include "src/manager/events.h"
#include "src/manager/exit.h"
#include "src/manager/launch.h"
#include "src/manager/lifecycle.h"
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

/// --cidfile: refused before anything is done when the file is there.
Status check_cid_file(const char* path) {
  struct stat info;
  if (!path || (lstat(path, &info) < 0 && errno == ENOENT)) return {};
  return Error::of(ErrorKind::exists,
                   "container ID file found, make sure the other container isn't running or delete %s", path);
}

/// Made when there is a container to name, so that no death leaves an empty one.
Status write_cid_file(const char* path, const std::string& id) {
  if (!path) return {};
  const Fd file(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) return Error::sys(errno, "failed to create the container ID file `%s`", path);
  return sys::write_all(file.get(), id).ctx("container ID file `%s`", path);
}

/// From its registry, with the progress on standard error: standard output is the container's.
Status pull_image(const Call& call, store::Store& store, const std::string& image) {
  oci::Reference name = TRY(oci::Reference::parse(image));
  name.default_tag();
  if (name.digest) name.tag.clear();
  const oci::PlatformChoice platform = TRY(oci::PlatformChoice::parse(call.args.value("platform", "")));
  store::ImageStore images = TRY(store::ImageStore::open(store.root()));
  const manager::Stores stores{images, *TRY(store.driver())};
  TRY(pull_and_show(store, stores, name, platform, call.args.flag("quiet") ? -1 : STDERR_FILENO));
  return {};
}

Status pull_always(const Call& call, store::Store& store, const manager::CreateRequest& request) {
  if (std::string_view(call.args.value("pull", "")) != "always") return {};
  return pull_image(call, store, std::string(request.record->config.image.view()));
}

/// An image that is not here, and whose name a registry may know.
bool may_be_pulled(Error& error, std::string_view image) {
  return error.kind() == ErrorKind::not_found &&
         std::string_view(error.text()).starts_with("No such image") && !image.starts_with("sha256:") &&
         oci::Reference::parse(image).ok();
}

/// `signals` are let go while an image is pulled, which ^C shall end.
Result<manager::NewContainer> create(const Call& call, store::Store& store, manager::CreateRequest& request,
                                     std::optional<manager::SignalGuard>* signals) {
  const std::string_view pull = call.args.value("pull", "missing");
  const std::string image(request.record->config.image.view());
  const bool guarded = signals && signals->has_value();
  auto created = manager::create_container(store, request, call.arena);
  if (!created.ok() && pull == "missing" && may_be_pulled(created.error(), image)) {
    if (!call.args.flag("quiet")) {
      oci::Reference name = TRY(oci::Reference::parse(image));
      name.default_tag();
      dprintf(STDERR_FILENO, "Unable to find image '%s' locally\n", name.familiar().c_str());
    }
    if (guarded) signals->reset();
    TRY(pull_image(call, store, image).ctx("No such image: %s", image.c_str()));
    if (guarded) signals->emplace(TRY(manager::SignalGuard::begin()));
    created = manager::create_container(store, request, call.arena);
  }
  if (!created.ok()) return std::move(created).error();
  Status written = write_cid_file(call.args.value("cidfile"), created->id);
  if (written.ok()) return std::move(created).value();
  const std::string id = created->id;
  created->dir.reset();
  (void)manager::remove_container(store, id, {.volumes = true});
  return std::move(written).error();
}

Result<int> run_create(const Call& call) {
  manager::CreateRequest request;
  request.record = call.arena.make<store::Record>();
  TRY(read_container_options(call, request));
  TRY(check_cid_file(call.args.value("cidfile")));
  const auto store = TRY(open_store(call));
  TRY(pull_always(call, *store, request));
  const manager::NewContainer container = TRY(create(call, *store, request, nullptr));
  TRY(print(container.id + "\n"));
  return 0;
}

Result<int> foreground(const Call& call, store::Store& store, const manager::CreateRequest& request,
                       manager::NewContainer container, manager::MonitorProcess monitor,
                       const manager::SignalGuard& signals) {
  const store::ContainerConfig& config = request.record->config;
  manager::StartOptions start;
  start.attach = (config.attach_stdin ? manager::wire::kWantInput : 0) | manager::wire::kWantOutput;
  if (config.tty) start.window = manager::terminal_size();
  manager::container_event(store, "attach", *request.record);
  manager::Started started =
      TRY(manager::start_container(std::move(monitor), container.id, std::move(container.dir), start));
  // As docker, of a container whose output nobody asked for.
  if (!config.attach_stdout && !config.attach_stderr) TRY(print(container.id + "\n"));
  manager::ConversationOptions options;
  options.input = config.attach_stdin;
  options.out = config.attach_stdout;
  options.err = config.attach_stderr;
  options.terminal = config.tty;
  options.proxy_signals = !call.args.given("sig-proxy") || call.args.flag("sig-proxy");
  options.detach_keys = call.args.value("detach-keys", options.detach_keys.c_str());
  const manager::Ending ending =
      TRY(manager::converse(store, container.id, started.conversation, signals, options));
  // `run --rm ... | head -1`: the end of the pipeline is the end of the container. Others run on.
  if (ending.how == manager::Ending::How::unread && request.record->host.auto_remove) {
    started.conversation.reset();  // or the monitor would wait for us to read
    std::string forced;
    (void)manager::delete_container(store, container.id, {.volumes = true, .forced = &forced});
  }
  return ending.exit_code;
}

Result<int> run_run(const Call& call) {
  manager::CreateRequest request;
  request.record = call.arena.make<store::Record>();
  request.detach = call.args.flag("detach");
  request.starts = true;
  TRY(read_container_options(call, request));
  const store::ContainerConfig& config = request.record->config;
  if (config.tty && config.attach_stdin && !isatty(STDIN_FILENO)) {
    // docker's exit code: nothing has been asked of the daemon yet.
    call.log.fatal("slipway run", "the input device is not a TTY");
    return 1;
  }
  TRY(manager::DetachKeys::parse(call.args.value("detach-keys", "")));
  TRY(check_cid_file(call.args.value("cidfile")));
  const auto store = TRY(open_store(call));
  TRY(pull_always(call, *store, request));
  // A ^C from here on is for the container: it must not leave one behind that nobody has started.
  std::optional<manager::SignalGuard> signals;
  if (!request.detach) signals.emplace(TRY(manager::SignalGuard::begin()));
  // It comes to life while the container is made.
  manager::MonitorProcess monitor = TRY(manager::MonitorProcess::spawn(*store));
  manager::NewContainer container = TRY(create(call, *store, request, &signals));
  const std::string id = container.id;
  const auto remove_failed = [&](Error error) -> Error {
    // By force: it may run, and have lost its monitor.
    std::string forced;
    if (request.record->host.auto_remove)
      (void)manager::delete_container(*store, id, {.volumes = true, .forced = &forced});
    return error;
  };
  if (!request.detach) {
    auto code = foreground(call, *store, request, std::move(container), std::move(monitor), *signals);
    if (!code.ok()) return remove_failed(std::move(code).error());
    return *code;
  }
  auto started = manager::start_container(std::move(monitor), id, std::move(container.dir), {});
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
