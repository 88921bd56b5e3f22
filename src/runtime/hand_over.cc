#include "src/runtime/hand_over.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "src/sys/descriptor_passing.h"
#include "src/sys/file.h"

namespace slipway::runtime {

Result<HandOver> HandOver::plan(const ProcessOptions& options, bool terminal) {
  for (int i = 0; i < options.preserve_fds; ++i)
    if (fcntl(3 + i, F_GETFD) < 0)
      return Error::of(ErrorKind::usage, "unable to stat preserved-fd %d (of %d): is it open?", 3 + i,
                       options.preserve_fds);
  const bool has_socket = !options.console_socket.empty() || options.console_fd >= 0;
  if (terminal && options.detached && !has_socket)
    return Error::of(ErrorKind::usage,
                     "cannot allocate tty if slip will detach without setting console socket");
  if (has_socket && (!terminal || !options.detached))
    return Error::of(ErrorKind::usage, "cannot use console socket if slip will not detach or allocate tty");
  HandOver plan;
  plan.options_ = &options;
  if (!options.console_socket.empty())
    plan.console_ = TRY(connect_socket(options.console_socket).ctx("the console socket"));
  if (!options.pidfd_socket.empty())
    plan.pidfd_socket_ = TRY(connect_socket(options.pidfd_socket).ctx("the pidfd socket"));
  return plan;
}

Status HandOver::give_terminal(Fd master) {
  const int socket = console_ ? console_.get() : options_->console_fd;
  if (socket >= 0) return send_descriptor(socket, master.get(), "/dev/ptmx").ctx("the console socket");
  terminal_ = std::move(master);
  copy_terminal_size(terminal_.get());  // before the program may ask for it
  return {};
}

Status HandOver::announce(pid_t pid, int pidfd) const {
  if (!options_->pid_file.empty())
    TRY(sys::replace_file_at(AT_FDCWD, options_->pid_file.c_str(), std::to_string(pid), 0644, false)
            .ctx("write the pid file"));
  return pidfd_socket_ ? send_descriptor(pidfd_socket_.get(), pidfd, "pidfd").ctx("the pidfd socket")
                       : Status();
}

Result<Fd> connect_socket(const std::string& path) {
  const Fd file = TRY(sys::open_at(AT_FDCWD, path.c_str(), O_PATH));
  Fd socket_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket_fd) return Error::sys(errno, "make a socket");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // sun_path has room for 108 bytes only.
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", file.get());
  if (connect(socket_fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return Error::sys(errno, "connect to `%s`", path.c_str());
  return socket_fd;
}

Status send_descriptor(int socket, int fd, const char* name) {
  if (sys::send_with_fds(socket, name, strlen(name), &fd, 1) < 0)
    return Error::sys(errno, "send a descriptor");
  return {};
}

void copy_terminal_size(int master) {
  winsize size;
  const bool known =
      ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  // 0 by 0 is a terminal that does not know its own.
  if (known && (size.ws_row || size.ws_col)) ioctl(master, TIOCSWINSZ, &size);
}

}  // namespace slipway::runtime
