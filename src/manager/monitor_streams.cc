#include "src/manager/monitor_streams.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace slipway::manager {

namespace {

constexpr size_t kLargestPipe = 1 << 20;  // /proc/sys/fs/pipe-max-size

Result<std::pair<Fd, Fd>> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return Error::sys(errno, "make a pipe");
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

/// Only our own end: the container's must not be surprised.
void set_nonblocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

}  // namespace

Result<Streams> Streams::make(bool terminal, bool open_stdin) {
  Streams streams;
  streams.terminal_ = terminal;
  if (terminal) return streams;
  auto out = TRY(make_pipe());
  auto err = TRY(make_pipe());
  if (open_stdin) {
    auto in = TRY(make_pipe());
    streams.child_ends_[0] = std::move(in.first);
    streams.stdin_ = std::move(in.second);
    set_nonblocking(streams.stdin_.get());
  } else {
    streams.child_ends_[0] = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!streams.child_ends_[0]) return Error::sys(errno, "open `/dev/null`");
  }
  streams.stdout_ = std::move(out.first);
  streams.child_ends_[1] = std::move(out.second);
  streams.stderr_ = std::move(err.first);
  streams.child_ends_[2] = std::move(err.second);
  set_nonblocking(streams.stdout_.get());
  set_nonblocking(streams.stderr_.get());
  for (int i = 0; i < 3; ++i) streams.child_[i] = streams.child_ends_[i].get();
  return streams;
}

void Streams::close_child() {
  for (Fd& end : child_ends_) end.reset();
}

void Streams::set_terminal(Fd master) {
  stdout_ = std::move(master);
  set_nonblocking(stdout_.get());
}

void Streams::set_window_size(wire::WindowSize size) {
  if (!terminal_ || !stdout_) return;
  winsize window = {};
  window.ws_row = size.rows;
  window.ws_col = size.columns;
  ioctl(stdout_.get(), TIOCSWINSZ, &window);
}

void Streams::input(std::string_view bytes) {
  if (input_ended_ || !(terminal_ ? stdout_ : stdin_)) return;
  pending_input_.append(bytes);
  flush_input();
}

void Streams::flush_input() {
  Fd& to = terminal_ ? stdout_ : stdin_;
  while (to && !pending_input_.empty()) {
    const ssize_t put = write(to.get(), pending_input_.data(), pending_input_.size());
    if (put >= 0) {
      pending_input_.erase(0, static_cast<size_t>(put));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      pending_input_.clear();  // nobody reads it any more
      if (!terminal_) to.reset();
    }
  }
  if (input_ended_ && !terminal_) to.reset();
}

void Streams::close_input() {
  if (terminal_) return;  // the client sends ^D as a character
  input_ended_ = true;
  flush_input();
}

void Streams::wait_for(std::vector<pollfd>& fds, bool take_output) const {
  const short out = take_output ? POLLIN : 0;
  const bool waits = !pending_input_.empty();
  // A stream whose end has been seen has descriptor -1, which poll() passes over; one that is not to be read
  // now as well, or its POLLHUP would spin.
  const short out_events = static_cast<short>(out | (terminal_ && waits ? POLLOUT : 0));
  fds.push_back({out_events ? stdout_.get() : -1, out_events, 0});
  fds.push_back({out ? stderr_.get() : -1, out, 0});
  fds.push_back({waits ? stdin_.get() : -1, POLLOUT, 0});
}

void Streams::handle(const pollfd* fds, Sink& sink) {
  if ((fds[0].revents & POLLOUT) || fds[2].revents) flush_input();
  if (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) read(stdout_, wire::kStdout, sink);
  if (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) read(stderr_, wire::kStderr, sink);
}

size_t Streams::read(Fd& from, wire::Letter letter, Sink& sink) {
  if (!from) return 0;
  char buffer[wire::kLargestPayload];
  const ssize_t got = ::read(from.get(), buffer, sizeof buffer);
  if (got > 0) {
    sink.output(letter, {buffer, static_cast<size_t>(got)});
    return static_cast<size_t>(got);
  }
  // A terminal says EIO when its last user has gone.
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) from.reset();
  return 0;
}

void Streams::drain(Sink& sink) {
  const auto drain_one = [&](Fd& from, wire::Letter letter) {
    for (size_t got, left = kLargestPipe; left > 0 && (got = read(from, letter, sink)) > 0;)
      left -= std::min(got, left);
  };
  drain_one(stdout_, wire::kStdout);
  drain_one(stderr_, wire::kStderr);
}

}  // namespace slipway::manager
