// Descriptors over AF_UNIX sockets (SCM_RIGHTS). Inline, without allocation: may be used between clone and exec.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace slipway::sys {

inline constexpr uint32_t kMaxPassed = 32;  // descriptors in one message; the kernel takes 253

/// One message of `size` bytes with `count` descriptors, which stay the caller's. As sendmsg(2); never SIGPIPE.
inline ssize_t send_with_fds(int socket, const void* data, size_t size, const int* fds, uint32_t count) {
  if (count > kMaxPassed) {
    errno = EINVAL;
    return -1;
  }
  iovec part = {const_cast<void*>(data), size};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxPassed * sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
  }
  ssize_t sent;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

/// The next message, and what came with it: `*count` descriptors, close-on-exec, which are the caller's now. As
/// recvmsg(2).
inline ssize_t receive_with_fds(int socket, void* data, size_t size, int (&fds)[kMaxPassed],
                                uint32_t* count) {
  *count = 0;
  iovec part = {data, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fds)];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  const cmsghdr* const header = got < 0 ? nullptr : CMSG_FIRSTHDR(&message);
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    *count = static_cast<uint32_t>((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(fds, CMSG_DATA(header), *count * sizeof(int));
  }
  return got;
}

/// The same for one descriptor: -1 when none came. Further ones are closed.
inline ssize_t receive_with_fd(int socket, void* data, size_t size, int* fd) {
  int fds[kMaxPassed];
  uint32_t count;
  const ssize_t got = receive_with_fds(socket, data, size, fds, &count);
  for (uint32_t i = 1; i < count; ++i) close(fds[i]);
  *fd = count > 0 ? fds[0] : -1;
  return got;
}

}  // namespace slipway::sys
