#include "src/manager/engine.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "src/manager/observe.h"
#include "src/manager/shared_memory.h"
#include "src/manager/spec.h"
#include "src/store/containers.h"
#include "src/sys/cgroup.h"
#include "src/sys/descriptor_passing.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"
#include "src/sys/mount.h"
#include "src/sys/remove_tree.h"

namespace slipway::manager {

namespace {

/// The other runtime of a container, as a program.
class Program {
 public:
  static Result<Program> of(store::Store& store, std::string_view id) {
    Arena arena;
    const store::Record* record = TRY(store::Containers(store).load(id, arena));
    Program program;
    program.path_ = record->host.runtime.view();
    program.root_ = store.run_root() + "/external";
    program.log_ = store.run_root() + "/" + monitor_dir(id) + "/runtime-log";
    return program;
  }

  /// Runs it to its end. `stdio` are its streams, -1 for /dev/null. Errors: what it wrote into its log.
  Status run(std::vector<std::string> words, const int (&stdio)[3]) const {
    const int code = TRY(exit_code(std::move(words), stdio));
    if (code == 0) return {};
    return failure(code);
  }

  Result<int> exit_code(std::vector<std::string> words, const int (&stdio)[3]) const {
    std::vector<std::string> all = {path_, "--root", root_, "--log", log_};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> argv;
    for (std::string& word : all) argv.push_back(word.data());
    argv.push_back(nullptr);
    unlink(log_.c_str());
    const pid_t child = fork();
    if (child < 0) return Error::sys(errno, "fork");
    if (child == 0) {
      // The streams may be each other's numbers: move them out of the way first.
      int moved[3];
      for (int i = 0; i < 3; ++i)
        moved[i] =
            fcntl(stdio[i] >= 0 ? stdio[i] : open("/dev/null", O_RDWR | O_CLOEXEC), F_DUPFD_CLOEXEC, 10);
      for (int i = 0; i < 3; ++i) dup2(moved[i], i);
      for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE}) signal(number, SIG_DFL);
      execvp(argv[0], argv.data());
      _exit(errno == ENOENT ? 127 : 126);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  /// The last message of its log; its kind follows from the words that all runtimes use.
  Error failure(int code) const {
    auto text = sys::read_file_at(AT_FDCWD, log_.c_str(), 1 << 20);
    std::string message = text.ok() ? *text : std::string();
    while (message.ends_with('\n')) message.pop_back();
    message.erase(0, message.rfind('\n') + 1);
    const size_t quoted = message.find("msg=\"");
    if (quoted != std::string::npos) message = message.substr(quoted + 5, message.rfind('"') - quoted - 5);
    if (message.empty() && code == 127) message = "no such program";
    ErrorKind kind = ErrorKind::failed;
    if (message.find("executable file not found") != std::string::npos ||
        message.find("no such file or directory") != std::string::npos)
      kind = ErrorKind::command_not_found;
    if (message.find("permission denied") != std::string::npos) kind = ErrorKind::not_executable;
    return Error::of(kind, "runtime `%s`: %s", path_.c_str(),
                     message.empty() ? "failed without a word" : message.c_str());
  }

  std::string path_, root_, log_;
};

/// What is mounted after this is mounted for this process and its children only.
Status own_mounts() {
  if (unshare(CLONE_NEWNS) < 0) return Error::sys(errno, "make a mount namespace");
  // Slaves: what the user mounts below a shared volume later must arrive there.
  if (sys::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0)
    return Error::sys(errno, "make the mounts our own");
  return {};
}

Status mount_at(const Fd& tree, const std::string& target) {
  if (mkdir(target.c_str(), 0700) < 0 && errno != EEXIST)
    return Error::sys(errno, "mkdir `%s`", target.c_str());
  if (sys::move_mount(tree.get(), "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) < 0)
    return Error::sys(errno, "mount `%s`", target.c_str());
  return {};
}

/// A socket that the runtime sends the terminal to. Its path goes by way of our descriptor: it must be short.
struct ConsoleSocket {
  Fd dir, socket;
  std::string path;

  static Result<ConsoleSocket> make(const store::Store& store, std::string_view id) {
    ConsoleSocket out;
    out.dir = TRY(sys::open_at(store.run_fd(), monitor_dir(id).c_str(), O_RDONLY | O_DIRECTORY));
    out.socket = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    out.path = "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(out.dir.get()) + "/console";
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", out.path.c_str());
    unlinkat(out.dir.get(), "console", 0);
    if (!out.socket ||
        bind(out.socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ||
        listen(out.socket.get(), 1) < 0)
      return Error::sys(errno, "make a console socket");
    return out;
  }

  Result<Fd> receive() const {
    const Fd connection(accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    unlinkat(dir.get(), "console", 0);
    char name[64];
    int fd = -1;
    if (!connection || sys::receive_with_fd(connection.get(), name, sizeof name, &fd) < 0)
      return Error::sys(errno, "receive the terminal");
    if (fd < 0) return Error::of(ErrorKind::failed, "the runtime did not send a terminal");
    return Fd(fd);
  }
};

/// The process whose id a runtime has written to `path`; without a pidfd if it has ended, and is not our child.
Result<runtime::Created> take_process(const std::string& path) {
  runtime::Created created;
  created.pid = atoi(TRY(sys::read_file_at(AT_FDCWD, path.c_str(), 64)).c_str());
  unlink(path.c_str());
  created.pidfd = Fd(sys::pidfd_open(created.pid));
  return created;
}

/// /dev/shm of another container where the spec has it; see spec_mounts.cc.
Status mount_shared_memory(store::Store& store, const Prepared& prepared) {
  const Fd tree = TRY(open_shared_memory(store, prepared.record->host.ipc_mode));
  const std::string target = prepared.bundle + "/shm";
  sys::umount2(target.c_str(), MNT_DETACH);  // of the last start
  return mount_at(tree, target);
}

Result<runtime::Created> create_external(store::Store& store, const Prepared& prepared,
                                         const runtime::CreateOptions& options) {
  const std::string id(prepared.record->id.view());
  const Program program = TRY(Program::of(store, id));
  const Fd rootfs = TRY(sys::mount_detached(prepared.rootfs));
  TRY(mount_at(rootfs, prepared.bundle + "/rootfs"));
  const Fd dir = TRY(sys::open_at(AT_FDCWD, prepared.bundle.c_str(), O_RDONLY | O_DIRECTORY));
  TRY(sys::replace_file_at(dir.get(), "config.json", prepared.config_text, 0600, false));
  const std::string pid_file = store.run_root() + "/" + monitor_dir(id) + "/pid";
  std::vector<std::string> words = {"create", "--bundle", prepared.bundle, "--pid-file", pid_file};
  ConsoleSocket console;
  const bool terminal = prepared.spec->process->terminal;
  if (terminal) {
    console = TRY(ConsoleSocket::make(store, id));
    words.insert(words.end(), {"--console-socket", console.path});
  }
  words.push_back(id);
  TRY(program.run(words, terminal ? kNoStreams : options.stdio));
  runtime::Created created = TRY(take_process(pid_file));
  if (!created.pidfd) return Error::of(ErrorKind::failed, "the container's init has gone");
  if (terminal) created.terminal = TRY(console.receive());
  Status started = program.run({"start", id}, kNoStreams);
  if (started.ok()) return created;
  (void)program.run({"delete", "--force", id}, kNoStreams);
  return std::move(started).error();
}

}  // namespace

bool is_external(const store::Store& store, std::string_view id) {
  return faccessat(store.root_fd(), ("containers/" + std::string(id) + "/config.json").c_str(), F_OK, 0) == 0;
}

Result<runtime::Created> engine_create(store::Store& store, const Prepared& prepared,
                                       const runtime::CreateOptions& options) {
  const bool shares_memory = prepared.record->host.ipc_mode.view().starts_with("container:");
  const bool external = !prepared.record->host.runtime.empty();
  if (external || shares_memory) TRY(own_mounts());
  if (shares_memory) TRY(mount_shared_memory(store, prepared));
  if (external) return create_external(store, prepared, options);
  return runtime::create(runtime_context(store), prepared.record->id, *prepared.spec, prepared.config_text,
                         options);
}

Status engine_signal(store::Store& store, std::string_view id, int signal) {
  if (!is_external(store, id)) {
    Status sent = runtime::kill(runtime_context(store), id, signal, false);
    if (sent.ok() || sent.error().kind() == ErrorKind::in_use) return sent;
    // Its monitor has just taken it away; or what the runtime knows of it cannot be read, and we know init, too.
  }
  Arena arena;
  const Observed observed = TRY(observe(store, id, arena));
  const Fd pidfd(observed.is_running() ? sys::pidfd_open(observed.state->pid) : -1);
  // Opened first, compared afterwards: else the number could be another process's by now.
  if (!pidfd || !process_lives(observed.state->pid, observed.state->pid_start_time))
    return Error::of(ErrorKind::in_use, "container not running");
  if (sys::pidfd_send_signal(pidfd.get(), signal) < 0) return Error::sys(errno, "signal the container");
  return {};
}

Result<runtime::CgroupRecord> engine_cgroup(store::Store& store, std::string_view id) {
  if (!is_external(store, id)) return TRY(runtime::load_state(runtime_context(store), id)).cgroup;
  Arena arena;
  const Observed observed = TRY(observe(store, id, arena));
  const std::vector<sys::CgroupMembership> memberships = TRY(sys::read_memberships(observed.state->pid));
  runtime::CgroupRecord record;
  for (const sys::CgroupHierarchy& hierarchy : TRY(sys::find_hierarchies()))
    for (const sys::CgroupMembership& one : memberships) {
      // Where the runtime has made none of its own, it would be one of others, too.
      if (one.controllers != hierarchy.controllers || one.path.find(id) == std::string::npos) continue;
      record.path = one.path;
      record.directories.emplace_back(one.controllers, hierarchy.mount + one.path);
    }
  if (record.directories.empty())
    return Error::of(ErrorKind::unsupported, "container %.*s has no cgroup of its own",
                     static_cast<int>(id.size()), id.data());
  return record;
}

Status engine_pause(store::Store& store, std::string_view id, bool frozen) {
  if (is_external(store, id))
    return TRY(Program::of(store, id)).run({frozen ? "pause" : "resume", std::string(id)}, kNoStreams);
  const runtime::Context context = runtime_context(store);
  return frozen ? runtime::pause(context, id) : runtime::resume(context, id);
}

namespace {

/// The cgroup that the runtime was told to make.
Result<std::unique_ptr<runtime::Cgroup>> planned_cgroup(store::Store& store, const runtime::Context& context,
                                                        std::string_view id) {
  Arena arena;
  const store::Record* record = TRY(store::Containers(store).load(id, arena));
  runtime::CgroupRecord cgroup;
  cgroup.path = container_cgroup(record->host.cgroup_parent, id);
  for (const sys::CgroupHierarchy& hierarchy : TRY(sys::find_hierarchies()))
    cgroup.directories.emplace_back(hierarchy.controllers, hierarchy.mount + cgroup.path);
  return runtime::open_cgroup(context, cgroup);
}

}  // namespace

Status engine_delete(store::Store& store, std::string_view id, int patience_ms) {
  if (is_external(store, id)) {
    const Program program = TRY(Program::of(store, id));
    Status deleted = program.run({"delete", "--force", std::string(id)}, kNoStreams);
    if (!deleted.ok() && TRY(program.exit_code({"--version"}, kNoStreams)) == 127)
      deleted.error().set_kind(ErrorKind::command_not_found);
    // Mounted only where the monitor is.
    sys::umount2((store::Containers(store).path(id) + "/rootfs").c_str(), MNT_DETACH);
    return deleted;
  }
  runtime::Context context = runtime_context(store);
  context.patience_ms = patience_ms;
  Status deleted = runtime::delete_container(context, id, true);
  if (deleted.ok() || deleted.error().kind() == ErrorKind::in_use) return deleted;
  // What the runtime knows of it cannot be read or removed. It may be forgotten if nothing of it lives.
  auto cgroup = planned_cgroup(store, context, id);
  if (!cgroup.ok() || !(*cgroup)->destroy().ok()) return deleted;
  (void)sys::remove_tree(AT_FDCWD, (context.root + "/" + std::string(id)).c_str());
  return {};
}

Status engine_forget(store::Store& store, std::string_view id) {
  const std::unique_ptr<runtime::Cgroup> cgroup = TRY(planned_cgroup(store, runtime_context(store), id));
  TRY(cgroup->destroy());
  (void)sys::remove_tree(AT_FDCWD, (store.run_root() + "/external/" + std::string(id)).c_str());
  return {};
}

Status engine_delete_own(store::Store& store, std::string_view id, const runtime::Created& created) {
  if (is_external(store, id)) return engine_delete(store, id);
  return runtime::delete_own(runtime_context(store), id, created);
}

namespace {

/// process.json for `exec --process`, for as long as this lives.
class ProcessFile {
 public:
  static Result<ProcessFile> write(store::Store& store, std::string_view id, const oci::Process& process) {
    ProcessFile file;
    const std::string relative = monitor_dir(id) + "/exec-" + std::to_string(getpid());
    json::Writer writer;
    writer.value(oci::kProcessType, &process);
    TRY(sys::replace_file_at(store.run_fd(), relative.c_str(), writer.text(), 0600, false));
    file.path_ = store.run_root() + "/" + relative;
    return file;
  }
  ProcessFile(ProcessFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ProcessFile& operator=(ProcessFile&&) = delete;
  ~ProcessFile() {
    if (!path_.empty()) unlink(path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  ProcessFile() = default;
  std::string path_;
};

}  // namespace

Result<const oci::Spec*> engine_spec(store::Store& store, std::string_view id, Arena& arena) {
  if (!is_external(store, id)) return runtime::load_spec(runtime_context(store), id, arena);
  const std::string path = store::Containers(store).path(id) + "/config.json";
  const std::string text = TRY(sys::read_file_at(AT_FDCWD, path.c_str(), 16 << 20));
  oci::Warnings warnings(arena);
  return TRY(oci::parse_spec(text, arena, warnings));
}

Result<int> engine_exec(store::Store& store, std::string_view id, const oci::Process& process) {
  const Program program = TRY(Program::of(store, id));
  const ProcessFile file = TRY(ProcessFile::write(store, id, process));
  constexpr int kOurs[3] = {0, 1, 2};
  return program.exit_code({"exec", "--process", file.path(), std::string(id)}, kOurs);
}

Result<runtime::Created> engine_exec_detached(store::Store& store, std::string_view id,
                                              const oci::Process& process, const int (&stdio)[3]) {
  const Program program = TRY(Program::of(store, id));
  const ProcessFile file = TRY(ProcessFile::write(store, id, process));
  const std::string pid_file = file.path() + "-pid";
  std::vector<std::string> words = {"exec", "--detach", "--process", file.path(), "--pid-file", pid_file};
  ConsoleSocket console;
  if (process.terminal) {
    console = TRY(ConsoleSocket::make(store, id));
    words.insert(words.end(), {"--console-socket", console.path});
  }
  words.emplace_back(id);
  TRY(program.run(words, stdio));
  runtime::Created created = TRY(take_process(pid_file));
  if (process.terminal) created.terminal = TRY(console.receive());
  return created;
}

}  // namespace slipway::manager
