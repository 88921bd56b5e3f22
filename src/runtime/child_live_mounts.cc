// Adds mounts to a running container and takes them away, in its namespaces. Its processes may change the tree
// meanwhile, so everything goes by descriptors below its root.
#include "src/runtime/child_live_mounts.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/fd.h"
#include "src/runtime/child_tree.h"
#include "src/sys/kernel.h"
#include "src/sys/path_walk.h"

namespace slipway::runtime::child {
namespace {

Outcome remove_mount(int root, const PlannedMount& mount) {
  const char* name;
  const Fd parent(sys::walk_to_parent(root, mount.destination, 0, &name));
  if (!parent || fchdir(parent.get()) < 0 || sys::umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
    return failed("unmount", mount.destination);
  return kDone;
}

Outcome add_mount(int root, const PlannedMount& mount) {
  STEP(make_mount(root, mount));
  if (!mount.read_only_later) return kDone;
  const Fd mounted(sys::walk_in_root(root, mount.destination, O_PATH | O_DIRECTORY, 0));
  if (!mounted) return failed("make read-only", mount.destination);
  return make_read_only(mounted.get(), mount.destination);
}

Outcome change_mounts(const LiveMountPlan& plan) {
  umask(0);
  // Joining the mount namespace has made its root ours.
  const Fd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return failed("open", "/");
  const uint32_t count = plan.mounts.size();
  for (uint32_t i = 0; i < count; ++i)
    STEP(plan.remove ? remove_mount(root.get(), plan.mounts[count - 1 - i])
                     : add_mount(root.get(), plan.mounts[i]));
  return kDone;
}

[[noreturn]] void finish(const Outcome& outcome, int report) {
  _exit(write(report, &outcome, sizeof outcome) == static_cast<ssize_t>(sizeof outcome) ? 0 : 1);
}

}  // namespace

void change_live_mounts(const LiveMountPlan& plan, int report) {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // the container's processes may not look into this one
  if (setns(plan.init, plan.namespaces) < 0) finish(failed("join the namespaces of the container"), report);
  const pid_t inner = fork();
  if (inner < 0) finish(failed("fork"), report);
  if (inner == 0) finish(change_mounts(plan), report);
  int status = 0;
  while (waitpid(inner, &status, 0) < 0 && errno == EINTR) {
  }
  _exit(0);
}

}  // namespace slipway::runtime::child
