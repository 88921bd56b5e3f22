// Steps that the child_*.cc files of the file system tree share (internal to them).
#pragma once

#include <sys/types.h>

#include "src/runtime/child.h"
#include "src/runtime/rootfs_plan.h"

namespace slipway::runtime::child {

/// One step of the mounts, below `root`.
Outcome make_mount(int root, const PlannedMount& mount);
/// A bind, or what stands in for a file system that the kernel refuses here.
Outcome make_bind(int root, const PlannedMount& mount, const char* source);

/// Attributes and propagation of a mount whose root is `fd`.
Outcome change_mount(int fd, const PlannedMount& mount);

/// Makes a mount read-only and leaves its other flags as they are.
Outcome make_read_only(int fd, const char* place);

/// tmpcopyup: copies what is in `from` (a descriptor) into `to`, owners and modes included.
Outcome copy_tree(int from, int to, const char* place);

/// Devices and links below /dev.
Outcome make_devices(int root, const RootfsPlan& plan);
/// /dev of the root: a directory, not reached through a link (CVE-2026-41579). -1 and errno.
int open_dev(int root);

/// "/proc/self/fd/N" of the host's /proc, for calls of old kernels that take paths only.
struct FdPath {
  char text[32];
  explicit FdPath(int fd);
};

}  // namespace slipway::runtime::child
