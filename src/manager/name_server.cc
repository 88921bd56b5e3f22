#include "src/manager/name_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

#include <cstdlib>

#include "src/base/fd.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

constexpr int kPatience = 3000;  // milliseconds, for all questions
constexpr int kNap = 10;         // between two of them
constexpr uint16_t kPort = 53;
constexpr size_t kHeaderSize = 12;

/// A socket in another network namespace.
Fd socket_in(int ns) {
  auto own = sys::open_at(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY);
  if (!own.ok() || setns(ns, CLONE_NEWNET) < 0) return Fd();
  Fd made(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // Without a way back this process would go on in the container's network.
  if (setns(own->get(), CLONE_NEWNET) < 0) abort();
  return made;
}

/// Asks for the addresses (A, IN) of a name of one label.
std::string question(const std::string& name) {
  std::string text("sw\x01\0\0\1\0\0\0\0\0\0", kHeaderSize);
  text += static_cast<char>(name.size());
  return text.append(name).append("\0\0\1\0\1", 5);
}

bool has_answers(const char* reply, ssize_t size) {
  return size > static_cast<ssize_t>(kHeaderSize) && reply[0] == 's' && reply[1] == 'w' &&
         (reply[6] | reply[7]) != 0;
}

}  // namespace

void await_name(int ns, const std::string& server, const std::string& name) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  const Fd socket = socket_in(ns);
  if (!socket || inet_pton(AF_INET, server.c_str(), &address.sin_addr) != 1 ||
      connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return;
  const std::string ask = question(name);
  for (int waited = 0; waited < kPatience; waited += kNap) {
    char reply[512];
    pollfd ready = {socket.get(), POLLIN, 0};
    if (send(socket.get(), ask.data(), ask.size(), 0) >= 0 && poll(&ready, 1, kNap) > 0 &&
        has_answers(reply, recv(socket.get(), reply, sizeof reply, MSG_DONTWAIT)))
      return;
    // Also after "nobody is there" and "no such name", which come at once.
    const timespec nap = {0, kNap * 1'000'000L};
    nanosleep(&nap, nullptr);
  }
}

}  // namespace slipway::manager
