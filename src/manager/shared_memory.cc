#include "src/manager/shared_memory.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "src/manager/spec.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"

namespace slipway::manager {

Result<Fd> open_shared_memory(store::Store& store, std::string_view mode) {
  Arena arena;
  const Str path = TRY(namespace_of(store, mode, "mnt", arena));
  const Fd theirs = TRY(sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return Error::sys(errno, "make a pipe");
  const Fd out(ends[0]);
  Fd in(ends[1]);
  // Only a mount of its own namespace can be copied (open_tree(2): EINVAL), so a child goes there. It shares our
  // descriptors: the copy is ours when the child has gone.
  const auto child = static_cast<pid_t>(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
  if (child < 0) return Error::sys(errno, "fork");
  if (child == 0) {
    int answer =
        setns(theirs.get(), CLONE_NEWNS) < 0
            ? -errno
            : sys::open_tree(AT_FDCWD, "/dev/shm", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (answer == -1) answer = -errno;
    _exit(write(in.get(), &answer, sizeof answer) == sizeof answer ? 0 : 1);
  }
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  in.reset();
  int answer = -EIO;
  if (read(out.get(), &answer, sizeof answer) != sizeof answer || answer < 0)
    return Error::sys(-answer, "copy the mount of /dev/shm of another container");
  return Fd(answer);
}

}  // namespace slipway::manager
