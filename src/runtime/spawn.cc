#include "src/runtime/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "src/sys/descriptor_passing.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"
#include "src/sys/userns.h"

namespace slipway::runtime {

namespace {

/// Children of the caller are born into another pid namespace as long as this lives: setns(2) changes only where
/// children go. No further fork is needed for it.
class BornInto {
 public:
  static Result<BornInto> enter(int file) {
    BornInto place;
    if (file < 0) return place;
    place.own_ = TRY(sys::open_at(AT_FDCWD, "/proc/self/ns/pid", O_RDONLY));
    if (setns(file, CLONE_NEWPID) < 0) return Error::sys(errno, "join the pid namespace");
    return place;
  }
  BornInto(BornInto&&) = default;
  ~BornInto() {
    if (own_ && setns(own_.get(), CLONE_NEWPID) < 0) return;
  }

 private:
  BornInto() = default;
  Fd own_;
};

}  // namespace

Error to_error(const Failure& failure) {
  Error error = failure.has_reason || failure.code == 0 ? Error::of(failure.kind, "%s", failure.text)
                                                        : Error::sys(failure.code, "%s", failure.text);
  if (failure.kind != ErrorKind::failed) error.set_kind(failure.kind);
  return error;
}

Status set_oom_score(pid_t pid, int score) {
  char path[48];
  snprintf(path, sizeof path, "/proc/%d/oom_score_adj", static_cast<int>(pid));
  Status written = sys::write_file_at(AT_FDCWD, path, std::to_string(score));
  // Only CAP_SYS_RESOURCE lowers it; an ordinary user's container does without.
  if (!written.ok() && (written.error().code() == EACCES || written.error().code() == EPERM) &&
      geteuid() != 0)
    return {};
  return std::move(written).ctx("process.oomScoreAdj");
}

void give_stdio(pid_t pid, const ProcessPlan& process) {
  if (process.terminal) return;
  Result<uid_t> user = sys::outer_uid(pid, process.uid);
  if (!user.ok()) return;
  for (const int fd : process.stdio) {
    struct stat info;
    // Devices are the host's, and /dev/null is everybody's.
    if (fstat(fd, &info) < 0 || S_ISCHR(info.st_mode) || info.st_uid == *user) continue;
    [[maybe_unused]] const int given = fchown(fd, *user, static_cast<gid_t>(-1));
  }
}

Result<Child> Child::spawn(ChildPlan& plan, const SpawnRequest& request) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return Error::sys(errno, "make a socket pair");
  Fd theirs(pair[1]);
  Child child;
  child.socket_ = Fd(pair[0]);
  plan.parent = theirs.get();

  const BornInto place = TRY(BornInto::enter(request.pid_namespace));
  // What is born into a namespace with others in it must be undumpable from its first instruction (CVE-2016-9962).
  const bool hide = request.pid_namespace >= 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
  if (hide) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  int pidfd = -1;
  clone_args args = {};
  args.flags = request.clone_flags | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (request.cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(request.cgroup);
  }
  pid_t pid = sys::clone3(args);
  if (pid < 0 && request.cgroup >= 0) {
    // Before 5.7, or a cgroup that takes no processes that way: the parent writes the pid, then.
    args.flags &= ~CLONE_INTO_CGROUP;
    args.cgroup = 0;
    child.in_cgroup_ = false;
    pid = sys::clone3(args);
  }
  if (pid == 0) {
    for (const int fd : request.close_fds)
      if (fd >= 0) close(fd);
    close(pair[0]);
    child::run(plan);
  }
  const int err = errno;
  if (hide) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  if (pid < 0) {
    Error error = Error::sys(err, "clone the container's process");
    if (err == ENOSPC || err == EUSERS)
      error.add_hint("the limit of namespaces is reached: see /proc/sys/user");
    if (err == EPERM && geteuid() != 0 && !(request.clone_flags & CLONE_NEWUSER))
      error.add_hint("an ordinary user's container requires a user namespace");
    return error;
  }
  child.pid_ = pid;
  child.pidfd_ = Fd(pidfd);
  return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      pidfd_(std::move(other.pidfd_)),
      socket_(std::move(other.socket_)),
      in_cgroup_(other.in_cgroup_) {}

Child::~Child() {
  if (pid_ <= 0) return;
  sys::pidfd_send_signal(pidfd_.get(), SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

Status Child::send(Note note, int32_t value) {
  Packet packet;
  packet.note = note;
  packet.value = value;
  if (::send(socket_.get(), &packet, offsetof(Packet, failure), MSG_NOSIGNAL) < 0 && errno != EPIPE)
    return Error::sys(errno, "write to the container's process");
  return {};  // one that has died is told of by receive()
}

Status Child::send(Note note, const std::vector<Fd>& fds) {
  int numbers[sys::kMaxPassed];
  if (fds.size() > sys::kMaxPassed)
    return Error::of(ErrorKind::unsupported, "there are more than %u cgroup hierarchies", sys::kMaxPassed);
  for (size_t i = 0; i < fds.size(); ++i) numbers[i] = fds[i].get();
  Packet packet;
  packet.note = note;
  if (sys::send_with_fds(socket_.get(), &packet, offsetof(Packet, failure), numbers,
                         static_cast<uint32_t>(fds.size())) < 0 &&
      errno != EPIPE)
    return Error::sys(errno, "write to the container's process");
  return {};  // see above
}

Result<Packet> Child::receive(Fd* fd) {
  Packet packet;
  int received;
  ssize_t size;
  // A child that fails before it has read what we sent resets the connection. The kernel tells of that first; what
  // the child said of its failure is still there.
  do {
    size = sys::receive_with_fd(socket_.get(), &packet, sizeof packet, &received);
  } while (size < 0 && errno == ECONNRESET);
  if (received >= 0) {
    Fd owner(received);
    if (fd) *fd = std::move(owner);
  }
  if (size < 0) return Error::sys(errno, "read from the container's process");
  if (size <= 0) return Error::of(ErrorKind::failed, "the container's process has died before it was ready");
  if (packet.note == Note::failed) return to_error(packet.failure);
  return packet;
}

Status Child::await_execution() {
  Packet packet;
  ssize_t size;
  bool unread = false;  // see receive(): then Note::execute was not read
  do {
    size = recv(socket_.get(), &packet, sizeof packet, 0);
    unread |= size < 0 && errno == ECONNRESET;
  } while (size < 0 && (errno == EINTR || errno == ECONNRESET));
  if (size > 0) return to_error(packet.failure);
  if (unread) return Error::of(ErrorKind::failed, "the container's process has died before it was ready");
  return {};  // its end of the socket closes on execve
}

Status Child::adopt(pid_t pid) {
  Fd pidfd(sys::pidfd_open(pid));
  if (!pidfd) return Error::sys(errno, "open a pidfd");
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  pid_ = pid;
  pidfd_ = std::move(pidfd);
  return send(Note::adopted);
}

void Child::wait() {
  if (pid_ <= 0) return;
  socket_.reset();
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  pid_ = 0;
}

Fd Child::release() {
  pid_ = 0;
  return std::move(pidfd_);
}

}  // namespace slipway::runtime
