// `exec`: one more process in a running container.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "src/cli/slipway/environment.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/capabilities.h"
#include "src/manager/conversation.h"
#include "src/manager/create.h"
#include "src/manager/detach_keys.h"
#include "src/manager/engine.h"
#include "src/manager/events.h"
#include "src/manager/exec_user.h"
#include "src/manager/inherited.h"
#include "src/manager/launch.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/sys/file.h"
#include "src/sys/self_exe.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("detach", 'd', "run in the background"),
    flag("interactive", 'i', "keep stdin open"),
    flag("tty", 't', "allocate a pseudo-terminal"),
    list("env", 'e', "KEY=VALUE", "set an environment variable; KEY alone takes it from here"),
    list("env-file", 0, "FILE", "read environment variables from a file"),
    value("workdir", 'w', "PATH_IN", "working directory inside the container"),
    value("user", 'u', "USER[:GROUP]", "name or number"),
    flag("privileged", 0, "all capabilities"),
    value("detach-keys", 0, "KEYS", "what leaves the process running (ctrl-p,ctrl-q)"),
});

/// What --user, --env and so on make of the container's own process.
Result<oci::Process*> process_for(const Call& call, store::Store& store, const std::string& id,
                                  const store::Record& record) {
  const oci::Spec* spec = TRY(manager::engine_spec(store, id, call.arena));
  auto* process = call.arena.make<oci::Process>();
  *process = *spec->process;
  const std::span<char* const> words = call.args.positionals().subspan(1);
  process->args = call.arena.list<Str>(words.size());
  for (size_t i = 0; i < words.size(); ++i) process->args[i] = Str::wrap(words[i]);
  process->terminal = call.args.flag("tty");
  process->console_size = nullptr;

  ListBuilder<Str> base(call.arena);
  for (const Str item : process->env)
    if (!item.view().starts_with("HOME=")) base.add(item);
  const char* user = call.args.value("user", record.config.user.c_str());
  const manager::Identity identity =
      TRY(manager::find_exec_identity(store, id, user, record.host.group_add, call.arena));
  process->user = identity.user;
  if (process->terminal) base.add("TERM=xterm");
  base.add(call.arena.format("HOME=%s", identity.home.empty() ? "/" : identity.home.c_str()));
  // A HOME that the record sets stays.
  List<Str> env = manager::merge_environment(base.list(), record.config.env, call.arena);
  process->env = manager::merge_environment(env, TRY(read_environment(call)), call.arena);
  if (const char* directory = call.args.value("workdir")) process->cwd = Str::wrap(directory);
  if (!process->cwd.view().starts_with('/'))
    return Error::of(ErrorKind::invalid,
                     "the working directory '%s' is invalid, it needs to be an absolute path",
                     process->cwd.c_str());

  store::HostConfig host = record.host;
  host.privileged = host.privileged || call.args.flag("privileged");
  auto* caps = call.arena.make<oci::Capabilities>();
  caps->bounding = TRY(manager::effective_capabilities(host, call.arena));
  if (process->user.uid == 0) caps->effective = caps->permitted = caps->bounding;
  process->capabilities = caps;
  const manager::wire::WindowSize window = manager::terminal_size();
  if (process->terminal && window.rows) {
    process->console_size = call.arena.make<oci::ConsoleSize>();
    process->console_size->height = window.rows;
    process->console_size->width = window.columns;
  }
  return process;
}

/// Nobody reads what a detached process writes to its terminal; it must not block for that.
void drain(const Fd& terminal, const Fd& pidfd) {
  char buffer[4096];
  for (;;) {
    pollfd fds[] = {{pidfd.get(), POLLIN, 0}, {terminal ? terminal.get() : -1, POLLIN, 0}};
    poll(fds, 2, -1);
    if (fds[0].revents) return;
    if (fds[1].revents && read(terminal.get(), buffer, sizeof buffer) <= 0) poll(fds, 1, -1);
  }
}

void become_keeper(const manager::Inherited& inherited) {
  inherited.close_all();
  setsid();
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int fd = 0; fd < 3; ++fd) dup2(null.get(), fd);
}

Result<int> attached(const Call& call, store::Store& store, const std::string& id,
                     const oci::Process& process, const manager::Inherited& inherited) {
  runtime::ExecOptions options;
  options.detached = false;
  Fd null;
  if (!call.args.flag("interactive") && !process.terminal) {
    null = TRY(sys::open_at(AT_FDCWD, "/dev/null", O_RDONLY));
    options.stdio[0] = null.get();
  }
  manager::DetachKeys keys =
      TRY(manager::DetachKeys::parse(call.args.value("detach-keys", manager::DetachKeys::kDefault)));
  runtime::Foreground foreground = TRY(runtime::Foreground::begin(false));
  runtime::Created created = TRY(runtime::exec(manager::runtime_context(store), id, process, options));
  const int code = TRY(foreground.wait(created, &keys));
  if (code != runtime::Foreground::kLeft) return code;
  // Its terminal stays as long as somebody has the other end.
  const pid_t child = fork();
  if (child < 0) return Error::sys(errno, "fork");
  if (child > 0) {
    call.log.fatal("slipway exec", "read escape sequence");  // docker's word and status for it
    return 1;
  }
  become_keeper(inherited);
  drain(created.terminal, created.pidfd);
  _exit(0);
}

/// The process needs somebody who stays until its end, for its terminal and to take its exit status: a child of
/// ours, which says when it has begun.
Result<int> detached(store::Store& store, const std::string& id, const oci::Process& process,
                     const manager::Inherited& inherited, const std::function<void(int)>& ended) {
  auto [ours, theirs] = TRY(manager::wire::pair());
  const pid_t child = fork();
  if (child < 0) return Error::sys(errno, "fork");
  if (child == 0) {
    ours.reset();
    become_keeper(inherited);
    runtime::ExecOptions options;
    options.detached = false;
    auto created = manager::is_external(store, id)
                       ? manager::engine_exec_detached(store, id, process)
                       : runtime::exec(manager::runtime_context(store), id, process, options);
    if (!created.ok()) {
      manager::wire::Failure failure;
      failure.kind = static_cast<uint8_t>(created.error().kind());
      std::string payload(reinterpret_cast<const char*>(&failure), sizeof failure);
      payload += created.error().text();
      (void)manager::wire::send(theirs.get(), manager::wire::kFailed, payload.data(), payload.size(), true);
      _exit(1);
    }
    (void)manager::wire::send(theirs.get(), manager::wire::kStarted, &created->pid, sizeof(int32_t), true);
    theirs.reset();
    // It may have ended already where it is not our child.
    if (created->pidfd) drain(created->terminal, created->pidfd);
    int status = 0;
    if (waitpid(created->pid, &status, 0) == created->pid)
      ended(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    _exit(0);
  }
  theirs.reset();
  char message[4096];
  const size_t size = TRY(manager::wire::receive(ours.get(), message, sizeof message, true));
  if (size >= 1 && message[0] == manager::wire::kStarted) return 0;
  return manager::failure_from({message, size});
}

Result<int> run_attached(const Call& call, store::Store& store, const std::string& id,
                         const oci::Process& process, const manager::Inherited& inherited) {
  if (!manager::is_external(store, id)) return attached(call, store, id, process, inherited);
  if (call.args.given("detach-keys"))
    return Error::of(ErrorKind::unsupported,
                     "--detach-keys: not with a container of another runtime (--runtime)");
  return manager::engine_exec(store, id, process);
}

Result<int> execute(const Call& call, store::Store& store, const std::string& id, const store::Record& record,
                    const manager::Inherited& inherited) {
  const oci::Process* process = TRY(process_for(call, store, id, record));
  const std::string exec_id = TRY(store::new_id());
  std::string command;
  for (const Str word : process->args) command.append(command.empty() ? "" : " ").append(word.view());
  for (const char* action : {"exec_create: ", "exec_start: "})
    manager::container_event(store, action + command, record, {{"execID", exec_id}});
  const auto ended = [&](int code) {
    manager::container_event(store, "exec_die", record,
                             {{"execID", exec_id}, {"exitCode", std::to_string(code)}});
  };
  if (call.args.flag("detach")) return detached(store, id, *process, inherited, ended);
  const int code = TRY(run_attached(call, store, id, *process, inherited));
  ended(code);
  return code;
}

Result<int> run(const Call& call) {
  // First of all: it executes this program once more.
  TRY(sys::protect_self(call.argv, call.envp));
  const manager::Inherited inherited = manager::Inherited::now();
  const auto store = TRY(open_store(call));
  store::Containers containers(*store);
  const std::string id = TRY(containers.find(call.args[0]));
  const store::Record* record = TRY(containers.load(id, call.arena));
  const manager::Observed observed = TRY(manager::observe(*store, id, call.arena));
  if (observed.status == store::ContainerStatus::paused)
    return Error::of(ErrorKind::in_use, "Container %s is paused, unpause the container before exec",
                     call.args[0]);
  if (observed.status == store::ContainerStatus::restarting)
    return Error::of(ErrorKind::in_use, "Container %s is restarting, wait until the container is running",
                     call.args[0]);
  if (!observed.is_running()) return manager::not_running(id);
  TRY(manager::DetachKeys::parse(call.args.value("detach-keys", "")));
  if (!call.args.flag("detach") && call.args.flag("tty") && call.args.flag("interactive") &&
      !isatty(STDIN_FILENO))
    return Error::of(ErrorKind::invalid, "the input device is not a TTY");
  auto code = execute(call, *store, id, *record, inherited);
  // docker's: the container runs, but not this in it.
  if (!code.ok() && code.error().kind() != ErrorKind::command_not_found &&
      code.error().kind() != ErrorKind::unsupported)
    code.error().set_kind(ErrorKind::not_executable);
  return code;
}

constexpr Verb kVerb = {"exec",
                        "CONTAINER COMMAND [ARG...]",
                        "Run a command in a running container",
                        kOptions,
                        2,
                        kNoLimit,
                        true,
                        run,
                        "exec -it web sh"};

}  // namespace

const Verb kExec = kVerb;
const Verb kContainerExec = as("container exec", kVerb);

}  // namespace slipway::cli
