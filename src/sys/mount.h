// Performs a MountSpec.
#pragma once

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/mount_spec.h"

namespace slipway::sys {

/// The tree as a mount that is attached nowhere: use it with openat() and its kin. It appears in no mount
/// table and vanishes with the last descriptor into it, however the process ends. Needs CAP_SYS_ADMIN.
/// What knows mount(2) only (aufs), or is a part of a mount (before 6.15), is mounted by a short-lived process in a mount
/// namespace of its own.
/// Errors: unsupported when the kernel does not know the file system type.
Result<Fd> mount_detached(const MountSpec& spec);

/// Where a mount failed. The pointers are literals or point into the spec.
struct MountFailure {
  const char* action = nullptr;  // "fsconfig"
  const char* object = nullptr;  // what it was done with, or null
  int code = 0;                  // errno
  bool try_legacy = false;       // the mount API cannot do it, but `legacy` may
  Fd context;                    // of fsopen, where the kernel's own words can be read
};

// For the child between clone and exec; they allocate nothing.

/// Performs the spec by the mount API of 5.2. `idmap`: a user namespace for spec.uid_map and gid_map, or -1.
/// Returns the detached mount, or -1.
int open_mount(const MountSpec& spec, int idmap, MountFailure& failure);

/// Performs the spec in the caller's own mount namespace and attaches it to `target`, by mount(2) where the
/// mount API cannot. Returns a descriptor (O_PATH) of the tree's root, or -1. May change the working
/// directory.
int mount_at(const MountSpec& spec, const char* target, int idmap, MountFailure& failure);

}  // namespace slipway::sys
