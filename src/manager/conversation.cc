#include "src/manager/conversation.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "src/manager/detach_keys.h"
#include "src/manager/engine.h"
#include "src/manager/observe.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

/// All but those that stop this process for good reasons of its own, or that tell of its own faults.
sigset_t handled_signals() {
  sigset_t set;
  sigfillset(&set);
  for (const int number :
       {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGPIPE, SIGCHLD, SIGTTIN, SIGTTOU})
    sigdelset(&set, number);
  return set;
}

/// The terminal on standard input without line editing, echo and signal keys; restored at the end.
class RawTerminal {
 public:
  RawTerminal() {
    if (tcgetattr(STDIN_FILENO, &saved_) < 0) return;
    termios raw = saved_;
    cfmakeraw(&raw);
    active_ = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() {
    if (active_) tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_);
  }

 private:
  termios saved_ = {};
  bool active_ = false;
};

class Conversation {
 public:
  Conversation(store::Store& store, std::string_view id, const Fd& socket, const SignalGuard& signals,
               const ConversationOptions& options, DetachKeys keys)
      : store_(store),
        id_(id),
        socket_(socket),
        signals_(signals),
        options_(options),
        keys_(std::move(keys)) {}

  /// The monitor has gone without a word.
  bool lost() const { return lost_; }

  Ending run() {
    std::optional<RawTerminal> raw;
    if (options_.terminal && options_.input && isatty(STDIN_FILENO)) raw.emplace();
    if (options_.terminal) send_window_size();
    bool reading = options_.input;
    for (;;) {
      // Input waits while the monitor does not take it; its output must be read meanwhile, or both would wait.
      const bool waiting = !unsent_.empty();
      const short socket_events = static_cast<short>(POLLIN | (waiting ? POLLOUT : 0));
      pollfd fds[] = {{socket_.get(), socket_events, 0},
                      {signals_.fd(), POLLIN, 0},
                      {reading && !waiting ? STDIN_FILENO : -1, POLLIN, 0}};
      if (poll(fds, 3, -1) < 0) continue;
      if (fds[0].revents & POLLOUT) send_unsent();
      if ((fds[0].revents & ~POLLOUT) && !message()) return ending_;
      if (fds[1].revents) signal();
      if (fds[2].revents && !input(reading)) return Ending{Ending::How::detached, 0};
    }
  }

 private:
  /// False when it was the last one.
  bool message() {
    char buffer[wire::kLargestPayload + 1];
    auto got = wire::receive(socket_.get(), buffer, sizeof buffer, false);
    if (!got.ok() && got.error().code() == EAGAIN) return true;
    if (!got.ok() || *got == 0) {
      lost_ = true;
      return false;
    }
    const std::string_view payload(buffer + 1, *got - 1);
    switch (buffer[0]) {
      case wire::kStdout:
        return !options_.out || write_out(STDOUT_FILENO, payload);
      case wire::kStderr:
        return !options_.err || write_out(STDERR_FILENO, payload);
      case wire::kExited:
        if (payload.size() == sizeof(int32_t)) {
          int32_t code;
          memcpy(&code, payload.data(), sizeof code);
          ending_.exit_code = code;
        }
        return false;
      default:
        return true;
    }
  }

  /// False when nobody reads our output any more: as a program in a pipeline would be, we are ended by that.
  bool write_out(int fd, std::string_view bytes) {
    Status written = sys::write_all(fd, bytes);
    if (written.ok() || written.error().code() != EPIPE) return true;
    ending_.how = Ending::How::unread;
    ending_.exit_code = 128 + SIGPIPE;
    return false;
  }

  void signal() {
    signalfd_siginfo info = {};
    if (read(signals_.fd(), &info, sizeof info) != sizeof info) return;
    const int number = static_cast<int>(info.ssi_signo);
    if (number == SIGWINCH) {
      if (options_.terminal) send_window_size();
    } else if (options_.proxy_signals && number != SIGURG) {
      (void)engine_signal(store_, id_, number);
    } else if (number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT) {
      // Not for the container: then it means us.
      ::signal(number, SIG_DFL);
      sigset_t only;
      sigemptyset(&only);
      sigaddset(&only, number);
      raise(number);
      sigprocmask(SIG_UNBLOCK, &only, nullptr);
    }
  }

  void send_window_size() {
    const wire::WindowSize size = terminal_size();
    // Not waiting: while the container takes no input, somebody must take its output.
    if (size.rows) (void)wire::send(socket_.get(), wire::kWindowSize, &size, sizeof size, false);
  }

  /// False when the user has typed the detach keys.
  bool input(bool& reading) {
    char buffer[wire::kLargestPayload];
    const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (got <= 0) {
      reading = false;
      send_input(wire::kInputEnd, {});
      return true;
    }
    std::string_view bytes(buffer, static_cast<size_t>(got));
    if (!options_.terminal) {
      send_input(wire::kInput, bytes);
      return true;
    }
    std::string passed;
    if (!keys_.pass(bytes, &passed)) return false;
    if (!passed.empty()) send_input(wire::kInput, passed);
    return true;
  }

  void send_input(wire::Letter letter, std::string_view bytes) {
    unsent_.assign(1, letter).append(bytes);
    send_unsent();
  }
  void send_unsent() {
    const auto letter = static_cast<wire::Letter>(unsent_[0]);
    Status sent = wire::send(socket_.get(), letter, unsent_.data() + 1, unsent_.size() - 1, false);
    // When nobody is there any more, the socket says so to message().
    if (sent.ok() || sent.error().code() != EAGAIN) unsent_.clear();
  }

  store::Store& store_;
  std::string_view id_;
  const Fd& socket_;
  const SignalGuard& signals_;
  const ConversationOptions& options_;
  DetachKeys keys_;
  std::string unsent_;  // a message of input that did not fit, with its letter
  Ending ending_;
  bool lost_ = false;
};

}  // namespace

Result<SignalGuard> SignalGuard::begin() {
  const sigset_t set = handled_signals();
  SignalGuard guard;
  guard.signals_ = Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!guard.signals_ || sigprocmask(SIG_BLOCK, &set, nullptr) < 0)
    return Error::sys(errno, "take the signals over");
  // A write to a pipe that nobody reads must not end us: the exit code is still to come.
  ::signal(SIGPIPE, SIG_IGN);
  guard.active_ = true;
  return guard;
}

SignalGuard::SignalGuard(SignalGuard&& other) noexcept
    : signals_(std::move(other.signals_)), active_(std::exchange(other.active_, false)) {}

SignalGuard::~SignalGuard() {
  if (!active_) return;
  const sigset_t set = handled_signals();
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

Result<Ending> converse(store::Store& store, std::string_view id, const Fd& socket,
                        const SignalGuard& signals, const ConversationOptions& options) {
  DetachKeys keys = TRY(DetachKeys::parse(options.detach_keys));
  Conversation conversation(store, id, socket, signals, options, std::move(keys));
  const Ending ending = conversation.run();
  if (!conversation.lost()) return ending;
  // We may have come when it had just said its last word.
  Arena arena;
  auto observed = observe(store, id, arena);
  if (observed.ok() && observed->status == store::ContainerStatus::exited)
    return Ending{Ending::How::exited, observed->state->exit_code};
  return Error::of(ErrorKind::failed, "the monitor of container %.*s has ended", static_cast<int>(id.size()),
                   id.data());
}

wire::WindowSize terminal_size() {
  winsize window = {};
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO})
    if (ioctl(fd, TIOCGWINSZ, &window) == 0 && window.ws_row) return {window.ws_row, window.ws_col};
  return {};
}

}  // namespace slipway::manager
