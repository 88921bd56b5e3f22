#include "src/cli/slip/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr char kInside[] = "/run/notify";
constexpr char kFile[] = "notify.sock";

std::string directory_of(const runtime::Context& context, std::string_view id) {
  return context.root + "/.notify/" + std::string(id);
}

/// The host's socket, or "".
std::string host_socket() {
  const char* value = getenv("NOTIFY_SOCKET");
  return value && (value[0] == '/' || value[0] == '@') ? value : "";
}

template <class T>
List<T> appended(List<T> list, const T& item, Arena& arena) {
  List<T> out = arena.list<T>(list.count + 1);
  for (uint32_t i = 0; i < list.count; ++i) out[i] = list[i];
  out[list.count] = item;
  return out;
}

void add_to_spec(const std::string& directory, oci::Spec& spec, Arena& arena) {
  oci::Mount mount;
  mount.destination = kInside;
  mount.type = "bind";
  mount.source = arena.copy(directory);
  mount.options = arena.list<Str>(5);
  size_t i = 0;
  for (Str option : {Str("bind"), Str("nosuid"), Str("noexec"), Str("nodev"), Str("ro")})
    mount.options[i++] = option;
  spec.mounts = appended(spec.mounts, mount, arena);
  spec.process->env = appended(spec.process->env, arena.format("NOTIFY_SOCKET=%s/%s", kInside, kFile), arena);
}

bool says_ready(std::string_view message) {
  while (!message.empty()) {
    const size_t end = message.find('\n');
    if (message.substr(0, end) == "READY=1") return true;
    if (end == std::string_view::npos) break;
    message.remove_prefix(end + 1);
  }
  return false;
}

Result<socklen_t> make_address(std::string_view name, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path)
    return Error::of(ErrorKind::invalid, "socket path `%.*s` is too long", static_cast<int>(name.size()),
                     name.data());
  memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '@' ? 0 : 1));
}

/// Nobody could do anything about a failure: the service manager sees that it was not told.
void tell_host(const std::string& host, pid_t pid) {
  sockaddr_un address;
  const Result<socklen_t> length = make_address(host, address);
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!length.ok() || !socket) return;
  const std::string message = "READY=1\nMAINPID=" + std::to_string(pid);
  (void)sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), length.value());
}

}  // namespace

Result<std::optional<NotifySocket>> NotifySocket::prepare(const runtime::Context& context,
                                                          std::string_view id, oci::Spec& spec,
                                                          Arena& arena) {
  const std::string host = host_socket();
  if (host.empty()) return std::optional<NotifySocket>();
  const std::string directory = directory_of(context, id);
  TRY(sys::make_directories(directory, 0700).ctx("NOTIFY_SOCKET"));
  // Seen through the bind by whatever user the container has.
  if (chmod(directory.c_str(), 0755) < 0)
    return Error::sys(errno, "NOTIFY_SOCKET: chmod `%s`", directory.c_str());
  add_to_spec(directory, spec, arena);
  return std::optional<NotifySocket>(NotifySocket(directory, host));
}

std::optional<NotifySocket> NotifySocket::find(const runtime::Context& context, std::string_view id) {
  const std::string host = host_socket();
  if (host.empty()) return {};
  const std::string directory = directory_of(context, id);
  if (access(directory.c_str(), F_OK) < 0) return {};
  return NotifySocket(directory, host);
}

void NotifySocket::remove(const runtime::Context& context, std::string_view id) {
  const std::string directory = directory_of(context, id);
  if (rmdir(directory.c_str()) == 0 || errno == ENOENT) return;
  unlink((directory + "/" + kFile).c_str());
  rmdir(directory.c_str());
}

Status NotifySocket::bind() {
  socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket_) return Error::sys(errno, "notify socket");
  // Through the directory: its own path may be longer than a socket's address.
  const Fd directory = TRY(sys::open_at(AT_FDCWD, directory_.c_str(), O_PATH | O_DIRECTORY));
  unlinkat(directory.get(), kFile, 0);
  sockaddr_un address;
  const std::string path = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + kFile;
  const socklen_t length = TRY(make_address(path, address));
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length) < 0)
    return Error::sys(errno, "bind the notify socket");
  // Whoever the container's user is.
  if (fchmodat(directory.get(), kFile, 0777, 0) < 0) return Error::sys(errno, "chmod the notify socket");
  return {};
}

void NotifySocket::relay(pid_t pid, int pidfd) const {
  pollfd fds[2] = {{socket_.get(), POLLIN, 0}, {pidfd, POLLIN, 0}};
  char message[4096];
  for (;;) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if (fds[0].revents & POLLIN) {
      const ssize_t size = recv(socket_.get(), message, sizeof message, MSG_DONTWAIT);
      if (size > 0 && says_ready({message, static_cast<size_t>(size)})) return tell_host(host_, pid);
      continue;  // what it said last counts, even if it has ended
    }
    if (fds[1].revents) return;
  }
}

void NotifySocket::relay_beside(pid_t pid, int pidfd) const {
  const pid_t caller = getpid();
  const pid_t child = fork();
  if (child != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == caller) relay(pid, pidfd);
  _exit(0);
}

}  // namespace slipway::cli
