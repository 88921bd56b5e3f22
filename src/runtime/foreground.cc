// A process in the foreground: the caller stands in for it on its terminal and for its signals.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "src/runtime/hand_over.h"
#include "src/runtime/runtime.h"
#include "src/sys/kernel.h"

namespace slipway::runtime {

namespace {

/// The caller's terminal in raw mode, as long as this lives.
class RawTerminal {
 public:
  RawTerminal() {
    if (tcgetattr(STDIN_FILENO, &before_) < 0) return;
    termios raw = before_;
    cfmakeraw(&raw);
    changed_ = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() {
    if (changed_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

 private:
  termios before_ = {};
  bool changed_ = false;
};

/// One direction of the terminal. What could not be written yet is kept; reading waits meanwhile.
class Pipe {
 public:
  Pipe(int from, int to, TypedFilter* filter) : from_(from), to_(to), filter_(filter) {}

  bool open() const { return open_; }
  bool left() const { return left_; }
  bool pending() const { return held_.size() > done_; }
  pollfd wants() const {
    if (!open_) return {-1, 0, 0};
    return pending() ? pollfd{to_, POLLOUT, 0} : pollfd{from_, POLLIN, 0};
  }
  void move(short events) {
    if (!events) return;
    if (pending()) {
      const ssize_t put = write(to_, held_.data() + done_, held_.size() - done_);
      if (put > 0) done_ += static_cast<size_t>(put);
      if (put < 0 && errno != EAGAIN && errno != EINTR) open_ = false;
      return;
    }
    char buffer[16384];
    const ssize_t got = read(from_, buffer, sizeof buffer);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    // 0: the caller's input has ended; EIO: the terminal has no slave any more.
    if (got <= 0) {
      open_ = false;
      return;
    }
    const std::string_view bytes(buffer, static_cast<size_t>(got));
    held_.clear();
    done_ = 0;
    if (filter_)
      left_ = !filter_->pass(bytes, &held_);
    else
      held_.assign(bytes);
  }

 private:
  int from_, to_;
  TypedFilter* filter_;
  bool open_ = true, left_ = false;
  std::string held_;
  size_t done_ = 0;
};

/// Reads what is left in the terminal after the process has ended.
void drain(int master, Pipe* output) {
  const int flags = fcntl(master, F_GETFL);
  fcntl(master, F_SETFL, flags | O_NONBLOCK);
  for (int idle = 0; output->open() && idle < 2;) {
    pollfd fd = output->wants();
    if (poll(&fd, 1, 0) <= 0 || !fd.revents) {
      ++idle;
      continue;
    }
    output->move(fd.revents);
  }
}

int exit_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Reaps what has ended; true when the process itself is among it.
bool reap(pid_t pid, int* code) {
  bool ended = false;
  for (;;) {
    int status;
    const pid_t child = waitpid(-1, &status, WNOHANG);
    if (child < 0 && errno == EINTR) continue;
    if (child <= 0) return ended;
    if (child != pid) continue;
    *code = exit_code(status);
    ended = true;
  }
}

/// Passes the waiting signals on. True when the process has ended.
bool take_signals(int signals, const Created& process, int* code) {
  signalfd_siginfo info;
  bool ended = false;
  while (read(signals, &info, sizeof info) == sizeof info) {
    const int number = static_cast<int>(info.ssi_signo);
    switch (number) {
      case SIGCHLD:
        ended = reap(process.pid, code) || ended;
        break;
      case SIGWINCH:
        if (process.terminal) copy_terminal_size(process.terminal.get());
        break;
      case SIGURG:  // runc ignores it, being Go's own signal for preemption; nobody means the container by it
      case SIGPIPE:
      case SIGTTIN:
      case SIGTTOU:
        break;
      default:
        sys::pidfd_send_signal(process.pidfd.get(), number);
    }
  }
  return ended;
}

}  // namespace

Result<Foreground> Foreground::begin(bool subreaper) {
  if (subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
    return Error::sys(errno, "become the reaper of the container's orphans");
  sigset_t all;
  sigfillset(&all);
  // Those of a fault of our own must end us.
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS})
    sigdelset(&all, number);
  sigset_t before;
  if (sigprocmask(SIG_BLOCK, &all, &before) < 0) return Error::sys(errno, "block signals");
  Fd signals(signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return Error::sys(errno, "make a signalfd");
  Foreground foreground(std::move(signals));
  static_assert(sizeof foreground.old_mask_ <= sizeof before);
  memcpy(foreground.old_mask_, &before, sizeof foreground.old_mask_);
  return foreground;
}

Foreground::Foreground(Foreground&& other) noexcept : signals_(std::move(other.signals_)) {
  memcpy(old_mask_, other.old_mask_, sizeof old_mask_);
}

Foreground::~Foreground() {
  if (!signals_) return;
  sigset_t before;
  sigemptyset(&before);
  memcpy(&before, old_mask_, sizeof old_mask_);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

Result<int> Foreground::wait(Created& process, TypedFilter* filter) {
  int code = 0;
  if (!process.terminal) {
    pollfd fd = {signals_.get(), POLLIN, 0};
    // It may have ended before its SIGCHLD could be told from that of another child.
    while (!reap(process.pid, &code)) {
      bool ended = false;
      if (poll(&fd, 1, -1) > 0) ended = take_signals(signals_.get(), process, &code);
      if (ended) break;
    }
    return code;
  }
  const RawTerminal raw;
  const int master = process.terminal.get();
  Pipe input(STDIN_FILENO, master, filter);
  Pipe output(master, STDOUT_FILENO, nullptr);
  for (bool ended = reap(process.pid, &code); !ended;) {
    pollfd fds[3] = {{signals_.get(), POLLIN, 0}, input.wants(), output.wants()};
    if (poll(fds, 3, -1) < 0) continue;
    if (fds[0].revents) ended = take_signals(signals_.get(), process, &code);
    input.move(fds[1].revents);
    if (input.left()) return kLeft;
    output.move(fds[2].revents);
  }
  drain(master, &output);
  return code;
}

}  // namespace slipway::runtime
