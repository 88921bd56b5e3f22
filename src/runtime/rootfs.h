// The container's file system tree: planned by the parent (rootfs_plan.cc, mount_plan.cc), built by the child
// (child_rootfs.cc, child_mounts.cc, child_devices.cc).
//
// Order, and why (runtime-spec, "Lifecycle"; reference/runtime.md 3.5): propagation of the old root, the root
// file system itself, each mount in the order of config.json (a later bind may use an earlier mount as its
// source), devices and /dev links, createContainer hooks (the caller's), pivot_root, then read-only remounts,
// the console, masked and read-only paths, root propagation.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "oci/spec.h"
#include "src/base/arena.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/runtime/child.h"
#include "src/sys/cgroup.h"
#include "src/sys/mount_spec.h"

namespace slipway::runtime {

/// Plain data in an arena; what it points to stays valid as long as the arena. Defined in rootfs_plan.h (both
/// sides include it).
struct RootfsPlan;

struct RootfsRequest {
  const oci::Spec* spec = nullptr;
  const char* bundle = "";  // absolute path; root.path and relative bind sources are relative to it
  const sys::MountSpec* rootfs = nullptr;  // instead of root.path (the manager's layers)
  bool no_pivot = false;
  bool user_namespace = false;        // the child will be in a user namespace that is not the host's
  bool own_cgroup_namespace = false;  // decides how cgroup mounts are made
  bool own_mount_namespace = true;  // else the caller's, or one that is joined: its root must stay what it is
  /// Of the container: absolute directories by controller, as Cgroup::directories() has them.
  const std::vector<std::pair<std::string, std::string>>* cgroup_directories = nullptr;
  /// Of the host, as sys::find_hierarchies() has them; a mount of type cgroup needs them.
  const std::vector<sys::CgroupHierarchy>* hierarchies = nullptr;
};

/// Checks and resolves what can be checked before the clone: mount options, sources, devices, file system
/// types. Opens what must be opened in the host's context (bind sources when a user namespace follows, idmap
/// user namespaces): these descriptors are put into `keep`, which must live until the clone. Unknown options
/// and impossible combinations are errors that name the mount.
Result<const RootfsPlan*> plan_rootfs(const RootfsRequest& request, Arena& arena, std::vector<Fd>& keep,
                                      ListBuilder<Str>& warnings);

namespace child {

/// In the new mount namespace: all that comes before pivot_root. Leaves the working directory in the root
/// file system. The cgroup file system is mounted by a call of `cgroup_ready` first, which returns when the
/// process is in its cgroups and cgroup namespace.
Outcome build_rootfs(const RootfsPlan& plan, Outcome (*cgroup_ready)(void*), void* context);

/// pivot_root (or MS_MOVE and chroot with --no-pivot), read-only remounts that must wait until now. Afterwards "/" is the container's.
Outcome enter_rootfs(const RootfsPlan& plan);

/// Allocates the terminal from the container's own devpts, binds it over /dev/console, makes it the
/// controlling terminal and stdio. Returns the master in *master. Only with process.terminal (CVE-2025-52565:
/// TIOCGPTPEER, never a path).
Outcome open_terminal(const RootfsPlan& plan, int* master);

/// The same for a further process (exec), which has no console. 0 rows and columns: the size is left as it is.
Outcome open_exec_terminal(uint16_t rows, uint16_t columns, int* master);

/// After the console: masked paths, read-only paths, root.readonly (CVE-2025-31133: verified /dev/null), and
/// linux.rootfsPropagation.
Outcome protect_paths(const RootfsPlan& plan);

}  // namespace child
}  // namespace slipway::runtime
