// notify_agent SOCKET FILE: answers seccomp notifications, as an agent behind linux.seccomp.listenerPath does.
//
// Each message on the socket is appended to FILE as a line: the JSON text, and " fds=N" for the descriptors that
// came with it. mkdir and mkdirat are answered with ENOMEDIUM, which no file system has; all else may continue.
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "src/sys/descriptor_passing.h"

namespace {

bool makes_directory(int number) {
#ifdef SYS_mkdir
  if (number == SYS_mkdir) return true;
#endif
  return number == SYS_mkdirat;
}

[[noreturn]] void answer(int listener) {
  pollfd event = {listener, POLLIN, 0};
  for (;;) {
    // Before 6.11 the ioctl does not end when nobody has the filter any more; this does.
    if (poll(&event, 1, -1) > 0 && (event.revents & POLLHUP)) _exit(0);
    seccomp_notif request = {};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) {
      if (errno == EINTR) continue;
      _exit(0);
    }
    seccomp_notif_resp response = {};
    response.id = request.id;
    if (makes_directory(request.data.nr))
      response.error = -ENOMEDIUM;
    else
      response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0 && errno != ENOENT) _exit(1);
  }
}

/// The message of one connection; its descriptor is answered by a process of its own.
void serve(int connection, int file) {
  char text[65536];
  int fds[slipway::sys::kMaxPassed];
  uint32_t count;
  const ssize_t size = slipway::sys::receive_with_fds(connection, text, sizeof text, fds, &count);
  if (size < 0) return;
  const std::string line =
      std::string(text, static_cast<size_t>(size)) + " fds=" + std::to_string(count) + "\n";
  if (write(file, line.data(), line.size()) < 0) _exit(1);
  if (count > 0 && fork() == 0) answer(fds[0]);
  for (uint32_t i = 0; i < count; ++i) close(fds[i]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  signal(SIGCHLD, SIG_IGN);
  const int file = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s.new", argv[1]);
  // Whoever sees the socket may connect to it.
  if (file < 0 || bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ||
      listen(server, 8) < 0 || rename(address.sun_path, argv[1]) < 0) {
    perror(argv[1]);
    return 1;
  }
  for (;;) {
    const int connection = accept4(server, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return 1;
    serve(connection, file);
    close(connection);
  }
}
