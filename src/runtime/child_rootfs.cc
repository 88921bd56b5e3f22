// The root file system: attached, filled, entered.
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <climits>
#include <cstring>

#include "src/base/fd.h"
#include "src/runtime/child_tree.h"
#include "src/runtime/rootfs.h"
#include "src/sys/kernel.h"
#include "src/sys/mount.h"
#include "src/sys/path_walk.h"

namespace slipway::runtime::child {
namespace {

/// pivot_root(2) wants the mount that holds the root to be private, and what is mounted in the container must
/// not reach the host by it. Its mount point is found by going up until the kernel takes one.
Outcome make_parent_private(const char* root) {
  char path[PATH_MAX];
  const size_t length = strlen(root);
  if (length >= sizeof path) return refused("open", root, "name too long");
  memcpy(path, root, length + 1);
  while (sys::mount(nullptr, path, nullptr, MS_PRIVATE, nullptr) < 0) {
    if (errno != EINVAL || strcmp(path, "/") == 0) return failed("make private the mount of", root);
    char* const slash = strrchr(path, '/');
    slash[slash == path ? 1 : 0] = '\0';
  }
  return kDone;
}

/// A bind of the root onto itself: pivot_root(2) needs a mount.
Outcome attach_directory(const char* path, Fd& root) {
  const Fd directory(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failed("open", path);
  root = Fd(sys::open_tree(directory.get(), "",
                           OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE));
  if (root) {
    if (sys::move_mount(root.get(), "", directory.get(), "",
                        MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
      return failed("bind", path);
    return kDone;
  }
  if (errno != ENOSYS) return failed("bind", path);
  if (sys::mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) < 0) return failed("bind", path);
  root = Fd(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  return root ? kDone : failed("open", path);
}

/// The parent has mounted it. Where its place cannot be reached from the user namespace (a directory above it is
/// closed to all but the host's root), it goes over "/", which is left behind anyway.
Outcome attach_tree(const RootfsPlan& plan, Fd& root) {
  Fd where(open(plan.root, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!where && errno == EACCES) where = Fd(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!where || sys::move_mount(plan.root_tree, "", where.get(), "",
                                MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
    return failed("attach", plan.root);
  root = Fd(plan.root_tree);
  return kDone;
}

Outcome attach_root(const RootfsPlan& plan, Fd& root) {
  if (plan.old_propagation && sys::mount(nullptr, "/", nullptr, plan.old_propagation, nullptr) < 0)
    return failed("set the propagation of", "/");
  if (plan.parent_private) STEP(make_parent_private(plan.root));
  if (plan.root_tree >= 0) return attach_tree(plan, root);
  if (!plan.layers) return attach_directory(plan.root, root);
  sys::MountFailure failure;
  root = Fd(sys::mount_at(*plan.layers, plan.root, plan.layers_idmap, failure));
  if (root) return kDone;
  return {failure.action, failure.object, plan.root, nullptr, failure.code, ErrorKind::failed};
}

Outcome pivot(const RootfsPlan& plan) {
  Fd old;
  if (!plan.old_propagation) {
    old = Fd(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!old) return failed("open", "/");
  }
  if (sys::pivot_root(".", ".") < 0) return failed("pivot_root");
  // The old root lies over the new one now. Where it has stayed shared it becomes a slave, so that the host does
  // not lose its mounts with ours.
  if (old && (fchdir(old.get()) < 0 || sys::mount(nullptr, ".", nullptr, MS_SLAVE | MS_REC, nullptr) < 0))
    return failed("set the propagation of", "/", "the host");
  // umount2(2), unlike mount(2), takes "." for what lies over the working directory.
  if (sys::umount2(".", MNT_DETACH) < 0) return failed("unmount", "/", "the host");
  return chdir("/") < 0 ? failed("chdir", "/") : kDone;
}

/// pivot_root(2) would take its root away from all others in the mount namespace.
Outcome change_root(const RootfsPlan& plan) {
  if (chroot(".") < 0) return failed("chroot", plan.root);
  return chdir("/") < 0 ? failed("chdir", "/") : kDone;
}

/// Without pivot_root (an initramfs cannot be left by it).
Outcome move_root(const RootfsPlan& plan) {
  const size_t length = strlen(plan.root);
  for (const Str& bare : plan.bare) {
    if (strncmp(bare.c_str(), plan.root, length) == 0) continue;
    if (sys::umount2(bare.c_str(), MNT_DETACH) == 0 || errno == ENOENT || errno == EINVAL) continue;
    // It cannot be taken away (a user namespace may not): cover it.
    if (sys::mount("tmpfs", bare.c_str(), "tmpfs", MS_RDONLY, "mode=000,size=0") < 0)
      return failed("cover", bare.c_str());
  }
  if (sys::mount(".", "/", nullptr, MS_MOVE, nullptr) < 0) return failed("move", plan.root, "/");
  return change_root(plan);
}

}  // namespace

Outcome make_read_only(int fd, const char* place) {
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (sys::mount_setattr(fd, "", AT_EMPTY_PATH, attributes) == 0) return kDone;
  if (errno != ENOSYS) return failed("make read-only", place);
  struct statfs info = {};
  if (fstatfs(fd, &info) < 0) return failed("make read-only", place);
  const unsigned long kept = static_cast<unsigned long>(info.f_flags) &
                             (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);
  if (sys::mount(nullptr, FdPath(fd).text, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kept, nullptr) < 0)
    return failed("make read-only", place);
  return kDone;
}

Outcome build_rootfs(const RootfsPlan& plan, Outcome (*cgroup_ready)(void*), void* context) {
  umask(0);  // modes are as the configuration says; the process gets its own umask at the end
  Fd root;
  STEP(attach_root(plan, root));
  bool in_cgroups = false;
  for (const PlannedMount& mount : plan.mounts) {
    if (mount.in_cgroups && !in_cgroups) {
      STEP(cgroup_ready(context));
      in_cgroups = true;
    }
    STEP(make_mount(root.get(), mount));
  }
  if (plan.set_up_dev) STEP(make_devices(root.get(), plan));
  if (fchdir(root.get()) < 0) return failed("chdir", plan.root);
  return kDone;
}

Outcome enter_rootfs(const RootfsPlan& plan) {
  STEP(plan.shared_mounts ? change_root(plan) : plan.no_pivot ? move_root(plan) : pivot(plan));
  for (const PlannedMount& mount : plan.mounts) {
    if (!mount.read_only_later) continue;
    const Fd mounted(sys::walk_in_root(AT_FDCWD, mount.destination, O_PATH | O_DIRECTORY, 0));
    if (!mounted) return failed("make read-only", mount.destination);
    STEP(make_read_only(mounted.get(), mount.destination));
  }
  return kDone;
}

}  // namespace slipway::runtime::child
