// Paths inside a root directory, for the child between clone and exec: these functions allocate nothing. All
// others use path.h.
//
// A path is resolved as chroot(2) would resolve it: absolute symbolic links and ".." stay below `root`, and
// magic links of /proc are not followed. openat2(2) does it (5.6); where it is missing or forbidden, or where
// something has to be created on the way, a walk by single components with O_NOFOLLOW does.
#pragma once

#include <sys/types.h>

namespace slipway::sys {

enum WalkFlags : unsigned {
  kWalkNoFollow = 1,         // the last component may be a symbolic link, and is not followed
  kWalkNoSymlinks = 2,       // ELOOP for any symbolic link on the way
  kWalkMakeDirectories = 4,  // missing directories on the way are made (0755 less the umask)
  kWalkMakeFile = 8,         // with kWalkMakeDirectories: the last component is made as an empty file (0644)
};

/// Opens `path` below `root`: `flags` as for openat(2), O_CLOEXEC implied; O_CREAT is not for here. Returns a
/// descriptor, or -1 and errno. *made, when given, tells whether something had to be made.
int walk_in_root(int root, const char* path, int flags, unsigned walk, bool* made = nullptr);

/// Opens (O_PATH) the directory that holds the last component of `path`; *name becomes that component, in `path`.
/// ENAMETOOLONG where PATH_MAX is exceeded.
int walk_to_parent(int root, const char* path, unsigned walk, const char** name);

}  // namespace slipway::sys
