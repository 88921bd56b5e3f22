// Bind mounts: a clone of the source (open_tree, 5.2) gets its attributes while it is attached nowhere, and
// is then moved onto a descriptor of the destination. On older kernels: mount(2) on /proc/self/fd/N, and a
// remount.
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <climits>
#include <cstring>

#include "src/base/fd.h"
#include "src/runtime/child_tree.h"
#include "src/sys/kernel.h"
#include "src/sys/path_walk.h"

namespace slipway::runtime::child {
namespace {

bool is_missing() {
  return errno == ENOENT || errno == ENOTDIR;
}

/// What a bind goes onto: a directory or an empty file is made when nothing is there.
Outcome open_destination(int root, const PlannedMount& mount, const char* source, bool directory, Fd& where) {
  const unsigned how = sys::kWalkMakeDirectories | (directory ? 0u : sys::kWalkMakeFile) |
                       (mount.destination_nofollow ? sys::kWalkNoFollow : 0u);
  where = Fd(sys::walk_in_root(root, mount.destination, O_PATH | (directory ? O_DIRECTORY : 0), how));
  if (!where) return failed("mount", source, mount.destination);
  if (mount.over_proc || mount.in_cgroups) return kDone;
  // The image may lead to /proc by a link, where only known files may be covered.
  struct statfs info = {};
  if (fstatfs(where.get(), &info) < 0) return failed("mount", source, mount.destination);
  if (info.f_type == PROC_SUPER_MAGIC && strcmp(mount.destination, "/proc") != 0)
    return {"mount", source, mount.destination, "it is inside /proc", 0, ErrorKind::invalid};
  return kDone;
}

/// The source is a symbolic link: the same link at the destination.
Outcome copy_link(int root, const PlannedMount& mount, int source) {
  char text[PATH_MAX];
  const ssize_t size = readlinkat(source, "", text, sizeof text - 1);
  if (size < 0) return failed("read link", mount.source);
  text[size] = '\0';
  const char* name;
  const Fd parent(sys::walk_to_parent(root, mount.destination, sys::kWalkMakeDirectories, &name));
  if (!parent) return failed("link", mount.destination);
  if (symlinkat(text, parent.get(), name) == 0) return kDone;
  if (errno != EEXIST) return failed("link", mount.destination);
  char there[PATH_MAX];
  const ssize_t old = readlinkat(parent.get(), name, there, sizeof there);
  if (old == size && memcmp(there, text, static_cast<size_t>(size)) == 0) return kDone;
  return refused("link", mount.destination, "something else is there");
}

int set_attributes(int tree, const AttributeChange& change, unsigned recursive = 0) {
  mount_attr attributes = {};
  attributes.attr_set = change.set;
  attributes.attr_clr = change.clear;
  return sys::mount_setattr(tree, "", AT_EMPTY_PATH | recursive, attributes);
}

unsigned long old_flags(uint64_t attributes) {
  struct Pair {
    uint64_t attribute;
    unsigned long flag;
  };
  constexpr Pair kPairs[] = {
      {MOUNT_ATTR_RDONLY, MS_RDONLY},         {MOUNT_ATTR_NOSUID, MS_NOSUID},
      {MOUNT_ATTR_NODEV, MS_NODEV},           {MOUNT_ATTR_NOEXEC, MS_NOEXEC},
      {MOUNT_ATTR_NOATIME, MS_NOATIME},       {MOUNT_ATTR_STRICTATIME, MS_STRICTATIME},
      {MOUNT_ATTR_NODIRATIME, MS_NODIRATIME}, {MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW}};
  unsigned long flags = 0;
  for (const Pair& pair : kPairs)
    if (attributes & pair.attribute) flags |= pair.flag;
  return flags;
}

/// Flags that a mount has now, as statfs(2) tells them: its ST_* are the MS_* for these.
unsigned long present_flags(int fd) {
  struct statfs info = {};
  if (fstatfs(fd, &info) < 0) return 0;
  return static_cast<unsigned long>(info.f_flags) & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
}

/// Before 5.12. A second try keeps what a user namespace may not take off.
Outcome remount_bind(int mounted, const PlannedMount& mount) {
  if (!mount.attributes.any()) return kDone;
  const unsigned long flags = MS_REMOUNT | MS_BIND | old_flags(mount.attributes.set);
  const FdPath path(mounted);
  if (sys::mount(nullptr, path.text, nullptr, flags, nullptr) == 0) return kDone;
  const unsigned long present = present_flags(mounted);
  if (errno == EPERM && !(present & old_flags(mount.attributes_kept.clear)) &&
      sys::mount(nullptr, path.text, nullptr, flags | present, nullptr) == 0)
    return kDone;
  return failed("remount", mount.source, mount.destination);
}

Outcome bind_old(int root, const PlannedMount& mount, const char* source) {
  struct stat info = {};
  if (stat(source, &info) < 0)
    return mount.may_be_missing && is_missing() ? kDone : failed("mount", source, mount.destination);
  Fd where;
  STEP(open_destination(root, mount, source, S_ISDIR(info.st_mode), where));
  const unsigned long recursive = mount.bind_recursive ? MS_REC : 0;
  if (sys::mount(source, FdPath(where.get()).text, nullptr, MS_BIND | recursive, nullptr) < 0)
    return failed("mount", source, mount.destination);
  const Fd mounted(sys::walk_in_root(root, mount.destination, O_PATH, 0));
  if (!mounted) return failed("mount", source, mount.destination);
  STEP(remount_bind(mounted.get(), mount));
  return change_mount(mounted.get(), mount);
}

Outcome attach(int root, const PlannedMount& mount, const char* source, int tree) {
  struct stat info = {};
  if (fstat(tree, &info) < 0) return failed("mount", source, mount.destination);
  if (S_ISLNK(info.st_mode) && mount.copy_symlink) return copy_link(root, mount, tree);
  Fd where;
  STEP(open_destination(root, mount, source, S_ISDIR(info.st_mode), where));
  // The host's /sys in place of a sysfs brings other file systems with it.
  const unsigned all = mount.kind == PlannedMount::Kind::bind ? 0u : unsigned{AT_RECURSIVE};
  if (mount.attributes.any() && set_attributes(tree, mount.attributes, all) < 0) {
    // EPERM: some that were not asked for are locked, and stay.
    if (errno != EPERM || set_attributes(tree, mount.attributes_kept) < 0)
      return failed("set mount attributes of", source, mount.destination);
  }
  STEP(change_mount(tree, mount));
  if (sys::move_mount(tree, "", where.get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
    // What mount(2) says of a file on a directory, and engines look for.
    struct stat covered = {};
    if (errno == EINVAL && fstat(where.get(), &covered) == 0 &&
        S_ISDIR(covered.st_mode) != S_ISDIR(info.st_mode))
      errno = ENOTDIR;
    return failed("mount", source, mount.destination);
  }
  return kDone;
}

}  // namespace

Outcome make_bind(int root, const PlannedMount& mount, const char* source) {
  if (mount.tree >= 0 && mount.kind == PlannedMount::Kind::bind)
    return attach(root, mount, source, mount.tree);
  const bool stands_in = mount.kind != PlannedMount::Kind::bind;
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
                         (mount.bind_recursive || stands_in ? AT_RECURSIVE : 0) |
                         (mount.source_nofollow || mount.copy_symlink ? AT_SYMLINK_NOFOLLOW : 0);
  const Fd tree(sys::open_tree(AT_FDCWD, source, flags));
  if (tree) return attach(root, mount, source, tree.get());
  if (mount.may_be_missing && is_missing()) return kDone;
  if (errno == ENOSYS) return bind_old(root, mount, source);
  return failed("mount", source, mount.destination);
}

}  // namespace slipway::runtime::child
