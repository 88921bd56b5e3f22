#include "src/manager/monitor_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "src/base/fault.h"
#include "src/base/version.h"
#include "src/manager/launch.h"
#include "src/manager/monitor.h"
#include "src/sys/descriptor_passing.h"
#include "src/sys/kernel.h"
#include "src/sys/self_exe.h"

namespace slipway::manager {

namespace {

constexpr char kName[] = "slipway-monitor";

struct Message {
  char letter = wire::kLaunch;
  char build[64] = {};  // before what may differ from one build to another
  LaunchOrder order;

  Message() { snprintf(build, sizeof build, "%s, build %s", version(), commit()); }
};

/// An upgrade may have come half-way.
Error other_build(const Message& theirs, const Message& ours) {
  return Error::of(ErrorKind::failed, "`%s` (version %s) is not of the same build as slipway (version %.*s)",
                   kName, ours.build, static_cast<int>(sizeof theirs.build), theirs.build);
}

/// In the order in which run_monitor_process() takes them. The driver's options come last.
std::vector<std::string> words_of(const store::StoreOptions& options) {
  std::vector<std::string> words = {kName, options.root, options.run_root, options.driver,
                                    options.network_backend};
  for (const auto& [key, value] : options.driver_options) words.push_back(key + "=" + value);
  return words;
}

store::StoreOptions options_of(int argc, char* const* argv) {
  store::StoreOptions options;
  options.root = argv[1];
  options.run_root = argv[2];
  options.driver = argv[3];
  options.network_backend = argv[4];
  for (int i = 5; i < argc; ++i) {
    const std::string_view option(argv[i]);
    const size_t equals = option.find('=');
    options.driver_options.emplace_back(option.substr(0, equals), option.substr(equals + 1));
  }
  return options;
}

/// The program beside this one; "" when nobody knows where this one is.
std::string program_beside() {
  char path[PATH_MAX];
  const ssize_t size = readlink(sys::kSelf, path, sizeof path - 1);
  if (size <= 1) return {};
  path[size] = '\0';
  setenv("SLIPWAY_EXE", path, 1);  // a view has no path, and `--init` looks for slip beside slipway
  std::string beside(path);
  return beside.replace(beside.rfind('/') + 1, std::string::npos, kName);
}

/// A process of its own: no terminal, no streams, no signals from the shell that started the command.
void become_monitor() {
  setsid();
  prctl(PR_SET_NAME, kName);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int fd = 0; fd < 3; ++fd) dup2(null.get(), fd);
  if (chdir("/") < 0) _exit(1);
  umask(022);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE}) signal(number, SIG_IGN);
}

/// With `conversation` as its standard input. A function of its own: no variable may be in a register over a vfork().
/// An errno, or 0.
int execute(int program, int conversation, char* const* argv) {
  volatile int failure = 0;  // of the child, too, which shares our memory
  const pid_t child = vfork();
  if (child < 0) return errno;
  if (child == 0) {
    // Descriptors that the command was born with must not live as long as the container: whoever waits for the end of
    // such a pipe, or for such a lock, would wait for that.
    // POSIX allows nothing here but exec and _exit; Linux allows system calls. NOLINTBEGIN(clang-analyzer-unix.Vfork)
    if (dup2(conversation, STDIN_FILENO) == STDIN_FILENO &&
        sys::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
      syscall(SYS_execveat, program, "", argv, environ, AT_EMPTY_PATH);
    failure = errno;
    // NOLINTEND(clang-analyzer-unix.Vfork)
    _exit(127);
  }
  if (failure != 0) waitpid(child, nullptr, 0);
  return failure;
}

/// The view of the program that is executed: nobody can write it.
Result<Fd> execute_view(const char* path, const Fd& conversation, char* const* argv) {
  Fd view = TRY(sys::protected_program(path));
  if (const int failure = execute(view.get(), conversation.get(), argv))
    return Error::sys(failure, "execute `%s` as the monitor", path);
  return view;
}

}  // namespace

Result<MonitorProcess> MonitorProcess::spawn(const store::Store& store) {
  std::vector<std::string> words = words_of(store.options());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  auto [ours, theirs] = TRY(wire::pair());
  Result<Fd> program = execute_view(program_beside().c_str(), theirs, argv.data());
  // Where that is missing or cannot be executed, this program is one, too.
  if (!program.ok()) program = execute_view(sys::kSelf, theirs, argv.data());
  return MonitorProcess(std::move(ours), TRY(std::move(program)));
}

Status MonitorProcess::launch(const LaunchOrder& order, int dir) {
  Message message;
  message.order = order;
  if (sys::send_with_fds(conversation_.get(), &message, sizeof message, &dir, 1) < 0 && errno != EPIPE)
    return Error::sys(errno, "order the monitor to start the container");
  program_ = Fd();
  return {};  // one that has died is noticed by who waits for its answer
}

bool called_as_monitor(const char* program) {
  return program && strcmp(program, kName) == 0;
}

int run_monitor_process(int argc, char* const* argv) {
  Fd conversation(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  if (argc < 5 || !conversation) {
    fprintf(stderr, "%s: is started by slipway\n", kName);
    return 125;
  }
  become_monitor();
  fault_point("monitor.begun");
  Result<std::unique_ptr<store::Store>> store = store::Store::open(options_of(argc, argv));
  if (store.ok())
    (void)(*store)->driver();  // while the command makes the container; fails again when it is needed
  Message message;
  int dir;
  const ssize_t size = sys::receive_with_fd(conversation.get(), &message, sizeof message, &dir);
  Fd locked_dir(dir);
  if (size < static_cast<ssize_t>(offsetof(Message, order)) || message.letter != wire::kLaunch || !locked_dir)
    return 0;
  if (const Message ours; strncmp(message.build, ours.build, sizeof ours.build) != 0)
    store = other_build(message, ours);
  if (!store.ok()) {
    send_failure(conversation.get(), store.error());
    return 1;
  }
  run_monitor(**store, message.order, std::move(locked_dir), std::move(conversation));
}

}  // namespace slipway::manager
