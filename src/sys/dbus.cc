#include "src/sys/dbus.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace slipway::sys {
namespace {

constexpr int kTimeout = 30'000;  // milliseconds
constexpr size_t kMaxLine = 4096;
constexpr size_t kMaxSignals = 4096;

int64_t now_ms() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

Result<Fd> connect_to(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error::of(ErrorKind::invalid, "socket path `%s` is too long", path.c_str());
  memcpy(address.sun_path, path.c_str(), path.size());
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return Error::sys(errno, "socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return Error::sys(errno, "connect to `%s`", path.c_str());
  return fd;
}

Status send_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t put = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Error::sys(errno, "D-Bus: send");
    data.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

std::string hex(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

}  // namespace

Result<DbusConnection> DbusConnection::connect(const std::vector<Socket>& sockets, uid_t uid) {
  Result<Fd> fd = Error::of(ErrorKind::not_found, "there is no D-Bus socket to try");
  for (const Socket& socket : sockets) {
    fd = connect_to(socket.path);
    if (!fd.ok()) continue;
    DbusConnection connection;
    connection.socket_ = std::move(*fd);
    connection.is_bus_ = socket.is_bus;
    TRY(connection.authenticate(uid).ctx("`%s`", socket.path.c_str()));
    return connection;
  }
  return std::move(fd).error();
}

/// Receives until there are `size` bytes.
Status DbusConnection::fill(size_t size, int64_t deadline) {
  while (input_.size() < size) {
    const int64_t left = deadline - now_ms();
    pollfd waiting = {socket_.get(), POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left > 0 ? left : 0));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return Error::sys(errno, "D-Bus: poll");
    if (ready == 0) return Error::sys(ETIMEDOUT, "D-Bus: no answer");
    char buffer[4096];
    const ssize_t got = recv(socket_.get(), buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::sys(errno, "D-Bus: receive");
    if (got == 0) return Error::of(ErrorKind::failed, "D-Bus: the connection was closed");
    input_.append(buffer, static_cast<size_t>(got));
  }
  return {};
}

/// SASL EXTERNAL, the socket's peer credentials. Hello goes out with it, and its reply is dropped by call().
Status DbusConnection::authenticate(uid_t uid) {
  std::string text(1, '\0');
  text += "AUTH EXTERNAL " + hex(std::to_string(uid)) + "\r\nBEGIN\r\n";
  TRY(send_all(socket_.get(), text));
  const int64_t deadline = now_ms() + kTimeout;
  size_t end;
  while ((end = input_.find("\r\n")) == std::string::npos) {
    if (input_.size() > kMaxLine) return Error::of(ErrorKind::invalid, "D-Bus: broken greeting");
    TRY(fill(input_.size() + 1, deadline));
  }
  const std::string answer = input_.substr(0, end);
  input_.erase(0, end + 2);
  if (!answer.starts_with("OK"))
    return Error::of(ErrorKind::failed, "D-Bus: authentication refused: %s", answer.c_str());
  if (!is_bus_) return {};
  return send("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "", {});
}

Status DbusConnection::send(const char* destination, const char* path, const char* interface,
                            const char* member, std::string_view signature, const DbusWriter& body) {
  // Hello without an answer is not allowed by dbus-daemon: so none says that it wants none.
  return send_all(socket_.get(), build_dbus_call(++serial_, false, destination, path, interface, member,
                                                 signature, body.data()));
}

Result<DbusMessage> DbusConnection::receive(int64_t deadline) {
  TRY(fill(16, deadline));
  const size_t size = dbus_message_size(input_);
  if (size == 0) return Error::of(ErrorKind::invalid, "D-Bus: broken message");
  TRY(fill(size, deadline));
  Result<DbusMessage> message = parse_dbus_message(input_);
  input_.erase(0, size);
  return message;
}

Result<DbusMessage> DbusConnection::call(const char* destination, const char* path, const char* interface,
                                         const char* member, std::string_view signature,
                                         const DbusWriter& body) {
  TRY(send(destination, path, interface, member, signature, body));
  const uint32_t serial = serial_;
  const int64_t deadline = now_ms() + kTimeout;
  for (;;) {
    DbusMessage message = TRY(receive(deadline).ctx("%s", member));
    if (message.type == DbusMessage::signal) {
      if (signals_.size() < kMaxSignals) signals_.push_back(std::move(message));
      continue;
    }
    if (message.reply_serial != serial) continue;
    if (message.type == DbusMessage::reply) return message;
    if (message.type != DbusMessage::error) continue;
    DbusReader reader = message.reader();
    const std::string text(message.signature.starts_with('s') ? reader.string() : std::string_view());
    return Error::of(ErrorKind::failed, "%s: %s", message.error_name.c_str(), text.c_str());
  }
}

Result<DbusMessage> DbusConnection::wait_signal(std::string_view interface, std::string_view member,
                                                int milliseconds) {
  const int64_t deadline = now_ms() + milliseconds;
  for (;;) {
    DbusMessage message;
    if (!signals_.empty()) {
      message = std::move(signals_.front());
      signals_.erase(signals_.begin());
    } else {
      message = TRY(receive(deadline));
    }
    if (message.type == DbusMessage::signal && message.interface == interface && message.member == member)
      return message;
  }
}

}  // namespace slipway::sys
