// Masked paths, read-only paths, the read-only root, and the propagation of all that.
//
// A masked file is covered by /dev/null, which must be that device and is held by descriptor while it is used
// (CVE-2025-31133: an image or a race had put a link to a file of /proc there). All masked directories show
// one empty read-only tmpfs: a super block for each would cost more than everything else here.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "src/base/fd.h"
#include "src/runtime/child_tree.h"
#include "src/runtime/rootfs.h"
#include "src/sys/kernel.h"
#include "src/sys/path_walk.h"

namespace slipway::runtime::child {
namespace {

constexpr unsigned kAttach = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
constexpr unsigned kClone = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;

bool is_missing() {
  return errno == ENOENT || errno == ENOTDIR;
}

/// What covers masked paths; opened when the first of a kind comes.
struct Covers {
  Fd null;
  Fd empty;  // the tmpfs, once it is attached
};

Outcome open_null(Fd& null) {
  const Fd dev(open_dev(AT_FDCWD));
  if (!dev) return failed("open", "/dev");
  null = Fd(openat(dev.get(), "null", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info = {};
  if (!null || fstat(null.get(), &info) < 0) return failed("open", "/dev/null");
  if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3))
    return refused("mask paths with", "/dev/null", "it is not the null device");
  return kDone;
}

int bind_old(int from, int to) {
  return sys::mount(FdPath(from).text, FdPath(to).text, nullptr, MS_BIND, nullptr);
}

Outcome cover_file(Covers& covers, int where, const char* path) {
  if (!covers.null) STEP(open_null(covers.null));
  const Fd tree(sys::open_tree(covers.null.get(), "", kClone));
  if (!tree && errno == ENOSYS && bind_old(covers.null.get(), where) == 0) return kDone;
  if (!tree || sys::move_mount(tree.get(), "", where, "", kAttach) < 0) return failed("mask", path);
  return kDone;
}

int make_empty_tmpfs() {
  const Fd context(sys::fsopen("tmpfs", FSOPEN_CLOEXEC));
  if (!context) return -1;
  if (sys::fsconfig(context.get(), FSCONFIG_SET_STRING, "mode", "0555", 0) < 0 ||
      sys::fsconfig(context.get(), FSCONFIG_SET_STRING, "nr_inodes", "1", 0) < 0 ||
      sys::fsconfig(context.get(), FSCONFIG_SET_FLAG, "ro", nullptr, 0) < 0 ||
      sys::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return -1;
  return sys::fsmount(context.get(), FSMOUNT_CLOEXEC,
                      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

Outcome cover_directory(Covers& covers, int where, const char* path) {
  // The first one is attached itself: clones of what is attached nowhere need 6.15.
  const bool first = !covers.empty;
  Fd tree(first ? make_empty_tmpfs() : sys::open_tree(covers.empty.get(), "", kClone));
  if (!tree && errno == ENOSYS && fchdir(where) == 0 &&
      sys::mount("tmpfs", ".", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0555") == 0)
    return chdir("/") < 0 ? failed("chdir", "/") : kDone;
  if (!tree || sys::move_mount(tree.get(), "", where, "", kAttach) < 0) return failed("mask", path);
  if (first) covers.empty = static_cast<Fd&&>(tree);
  return kDone;
}

Outcome mask(Covers& covers, const char* path) {
  const Fd where(sys::walk_in_root(AT_FDCWD, path, O_PATH, 0));
  struct stat info = {};
  if (!where) return is_missing() ? kDone : failed("mask", path);
  if (fstat(where.get(), &info) < 0) return failed("mask", path);
  return S_ISDIR(info.st_mode) ? cover_directory(covers, where.get(), path)
                               : cover_file(covers, where.get(), path);
}

/// By mount(2): the flags that the mount has already must be named again.
Outcome make_read_only_old(int where, const char* path) {
  struct statfs info = {};
  if (fstatfs(where, &info) < 0 || bind_old(where, where) < 0) return failed("make read-only", path);
  const Fd mounted(sys::walk_in_root(AT_FDCWD, path, O_PATH, 0));
  const unsigned long kept = static_cast<unsigned long>(info.f_flags) &
                             (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);
  if (!mounted || sys::mount(nullptr, FdPath(mounted.get()).text, nullptr,
                             MS_REMOUNT | MS_BIND | MS_RDONLY | kept, nullptr) < 0)
    return failed("make read-only", path);
  return kDone;
}

Outcome make_read_only(const char* path) {
  const Fd where(sys::walk_in_root(AT_FDCWD, path, O_PATH, 0));
  if (!where) return is_missing() ? kDone : failed("make read-only", path);
  const Fd tree(sys::open_tree(where.get(), "", kClone | AT_RECURSIVE));
  if (!tree && errno == ENOSYS) return make_read_only_old(where.get(), path);
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (!tree || sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH, attributes) < 0 ||
      sys::move_mount(tree.get(), "", where.get(), "", kAttach) < 0)
    return failed("make read-only", path);
  return kDone;
}

Outcome make_root_read_only() {
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (sys::mount_setattr(AT_FDCWD, "/", 0, attributes) == 0) return kDone;
  struct statfs info = {};
  if (errno != ENOSYS || statfs("/", &info) < 0) return failed("make read-only", "/");
  const unsigned long kept = static_cast<unsigned long>(info.f_flags) &
                             (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);
  if (sys::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kept, nullptr) < 0)
    return failed("make read-only", "/");
  return kDone;
}

}  // namespace

Outcome protect_paths(const RootfsPlan& plan) {
  if (plan.read_only) STEP(make_root_read_only());
  for (const Str& path : plan.read_only_paths) STEP(make_read_only(path.c_str()));
  Covers covers;
  for (const Str& path : plan.masked) STEP(mask(covers, path.c_str()));
  // Read-only paths are binds of themselves, which an unbindable root does not allow.
  if (plan.root_propagation && sys::mount(nullptr, "/", nullptr, plan.root_propagation, nullptr) < 0)
    return failed("set the propagation of", "/", "the container");
  return kDone;
}

}  // namespace slipway::runtime::child
