// Device nodes and the links in /dev. Everything is done relative to descriptors that were resolved inside
// the root, and what is found there is looked at before it is trusted.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "src/base/fd.h"
#include "src/runtime/child_tree.h"
#include "src/sys/kernel.h"
#include "src/sys/path_walk.h"

namespace slipway::runtime::child {
namespace {

bool is_device(const struct stat& info, const PlannedDevice& device) {
  return (info.st_mode & S_IFMT) == (device.mode & S_IFMT) &&
         (S_ISFIFO(device.mode) || info.st_rdev == device.device);
}

/// Binds the host's node, where making one is not allowed.
Outcome bind_node(int directory, const char* name, const PlannedDevice& device) {
  const Fd tree(sys::open_tree(AT_FDCWD, device.path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  struct stat info = {};
  if (!tree || fstat(tree.get(), &info) < 0) return failed("open device", device.path);
  if (!is_device(info, device))
    return refused("bind device", device.path, "the host has another device of this name");
  if (mknodat(directory, name, S_IFREG | 0644, 0) < 0 && errno != EEXIST)
    return failed("create device", device.path);
  const Fd where(openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!where || fstat(where.get(), &info) < 0) return failed("create device", device.path);
  if (S_ISLNK(info.st_mode) || S_ISDIR(info.st_mode))
    return refused("create device", device.path, "a link or a directory is there");
  if (sys::move_mount(tree.get(), "", where.get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
    return failed("bind device", device.path);
  return kDone;
}

/// It exists: fine when it is that device. Mode and owner become what was asked for.
Outcome adopt_node(int directory, const char* name, const PlannedDevice& device) {
  struct stat info = {};
  if (fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) < 0) return failed("create device", device.path);
  if (!is_device(info, device))
    return refused("create device", device.path, "something else of this name exists");
  if ((info.st_mode & 07777) != (device.mode & 07777)) {
    const Fd node(openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!node || fstat(node.get(), &info) < 0 || !is_device(info, device) ||
        chmod(FdPath(node.get()).text, device.mode & 07777) < 0)
      return failed("chmod device", device.path);
  }
  return kDone;
}

Outcome make_device(int root, int dev, const PlannedDevice& device, bool user_namespace) {
  Fd parent;
  const char* name = device.path;
  int directory = dev;
  if (strncmp(device.path, "/dev/", 5) == 0 && !strchr(device.path + 5, '/')) {
    name = device.path + 5;
  } else {
    parent = Fd(sys::walk_to_parent(root, device.path, sys::kWalkMakeDirectories, &name));
    if (!parent) return failed("create device", device.path);
    directory = parent.get();
  }
  if (user_namespace && !S_ISFIFO(device.mode)) return bind_node(directory, name, device);
  if (mknodat(directory, name, device.mode, device.device) < 0) {
    if (errno == EPERM) return bind_node(directory, name, device);
    if (errno != EEXIST) return failed("create device", device.path);
    STEP(adopt_node(directory, name, device));
  }
  if ((device.uid || device.gid) &&
      fchownat(directory, name, device.uid, device.gid, AT_SYMLINK_NOFOLLOW) < 0)
    return failed("chown device", device.path);
  return kDone;
}

struct Link {
  const char* name;
  const char* text;
};

Outcome make_link(int dev, const Link& link, const char* place) {
  if (symlinkat(link.text, dev, link.name) < 0 && errno != EEXIST) return failed("create link", place);
  return kDone;
}

/// /dev/ptmx leads to the container's own devpts, whatever the image has there.
Outcome link_ptmx(int dev) {
  if (symlinkat("pts/ptmx", dev, "ptmx") == 0) return kDone;
  if (errno != EEXIST || unlinkat(dev, "ptmx", 0) < 0 || symlinkat("pts/ptmx", dev, "ptmx") < 0)
    return failed("create link", "/dev/ptmx");
  return kDone;
}

}  // namespace

int open_dev(int root) {
  return sys::walk_in_root(root, "dev", O_PATH | O_DIRECTORY, sys::kWalkNoSymlinks);
}

Outcome make_devices(int root, const RootfsPlan& plan) {
  Fd dev(open_dev(root));
  if (!dev && errno == ENOENT && mkdirat(root, "dev", 0755) == 0) dev = Fd(open_dev(root));
  if (!dev && (errno == ELOOP || errno == ENOTDIR))
    return refused("create devices", "/dev", "it is not a directory");
  if (!dev) return failed("open", "/dev");
  for (const PlannedDevice& device : plan.devices)
    STEP(make_device(root, dev.get(), device, plan.user_namespace));
  STEP(make_link(dev.get(), {"fd", "/proc/self/fd"}, "/dev/fd"));
  STEP(make_link(dev.get(), {"stdin", "/proc/self/fd/0"}, "/dev/stdin"));
  STEP(make_link(dev.get(), {"stdout", "/proc/self/fd/1"}, "/dev/stdout"));
  STEP(make_link(dev.get(), {"stderr", "/proc/self/fd/2"}, "/dev/stderr"));
  if (plan.core_link) STEP(make_link(dev.get(), {"core", "/proc/kcore"}, "/dev/core"));
  return link_ptmx(dev.get());
}

}  // namespace slipway::runtime::child
