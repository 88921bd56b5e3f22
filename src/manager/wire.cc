#include "src/manager/wire.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace slipway::manager::wire {

namespace {

sockaddr_un address_of(int dir, const char* name) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, name);
  return address;
}

}  // namespace

Status send(int socket, Letter letter, const void* payload, size_t size, bool wait) {
  char first = letter;
  iovec parts[2] = {{&first, 1}, {const_cast<void*>(payload), size}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = size ? 2 : 1;
  while (sendmsg(socket, &message, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT)) < 0)
    if (errno != EINTR) return Error::sys(errno, "send");
  return {};
}

Result<size_t> receive(int socket, char* buffer, size_t size, bool wait) {
  for (;;) {
    const ssize_t got = recv(socket, buffer, size, wait ? 0 : MSG_DONTWAIT);
    if (got >= 0) return static_cast<size_t>(got);
    // ECONNRESET: the other side has gone, and not read all of ours. Said once, before what it had still to say.
    if (errno != EINTR && errno != ECONNRESET) return Error::sys(errno, "receive");
  }
}

Result<std::pair<Fd, Fd>> pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return Error::sys(errno, "make a socket pair");
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

Result<Fd> listen(int dir, const char* name) {
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return Error::sys(errno, "make a socket");
  const sockaddr_un address = address_of(dir, name);
  unlinkat(dir, name, 0);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ||
      ::listen(socket.get(), 64) < 0)
    return Error::sys(errno, "listen on the monitor's socket");
  return socket;
}

Result<Fd> connect(int dir, const char* name) {
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) return Error::sys(errno, "make a socket");
  const sockaddr_un address = address_of(dir, name);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    Error error = Error::sys(errno, "connect to the monitor");
    if (error.code() == ECONNREFUSED) error.set_kind(ErrorKind::not_found);
    return error;
  }
  return socket;
}

}  // namespace slipway::manager::wire
