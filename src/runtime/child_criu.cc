// The child that becomes criu, in the cgroups of the container that it restores and, for restoring, in a mount namespace
// of its own.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/fd.h"
#include "src/runtime/child_steps.h"
#include "src/runtime/child_tree.h"
#include "src/sys/kernel.h"

namespace slipway::runtime::child {

namespace {

/// criu wants a root that is a mount, and that nothing covers the mount above it. The host shall not see that mount, and
/// if all are killed nothing shall be left of it.
Outcome mount_root(const CriuPlan& criu) {
  if (unshare(CLONE_NEWNS) < 0) return failed("unshare the mount namespace");
  if (sys::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0)
    return failed("change the propagation of", "/");
  if (sys::mount(criu.root, criu.root_place, nullptr, MS_BIND, nullptr) < 0)
    return failed("bind", criu.root, criu.root_place);
  // criu takes the root as it finds it.
  if (!criu.read_only) return kDone;
  const Fd root(open(criu.root_place, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return failed("open", criu.root_place);
  return make_read_only(root.get(), "/");
}

Outcome open_as(const char* path, int number) {
  const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || dup3(fd, number, 0) < 0) return failed("open", path);
  close(fd);
  return kDone;
}

/// criu takes numbers of descriptors to be those of the process that has made its socket: that must be itself.
Outcome open_service(const ChildPlan& plan) {
  const CriuPlan& criu = *plan.criu;
  STEP(open_as(criu.images, criu.images_fd));
  STEP(open_as(criu.work, criu.work_fd));
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 || dup3(ends[1], criu.socket, 0) < 0)
    return failed("make a socket pair");
  STEP(tell_with_fd(plan, Note::ready, ends[0]));
  close(ends[0]);
  close(ends[1]);
  return kDone;
}

}  // namespace

Outcome become_criu(const ChildPlan& plan) {
  const CriuPlan& criu = *plan.criu;
  if (criu.root) {
    STEP(mount_root(criu));
  } else if (setpgid(0, 0) < 0) {
    // A Ctrl-C is for the command: a criu that dies leaves the container frozen.
    return failed("make a process group");
  }
  STEP(open_service(plan));
  for (uint32_t i = 0; i < criu.kept_count; ++i)
    if (fcntl(criu.kept[i], F_SETFD, 0) < 0) return failed("keep a descriptor open");
  // 3.17 does not restore it; what criu restores has it from criu.
  if (criu.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return failed("set no_new_privs");
  reset_signals();
  execve(criu.program, criu.argv, environ);
  return failed("execute", criu.program);
}

}  // namespace slipway::runtime::child
