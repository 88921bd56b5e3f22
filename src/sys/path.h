// Paths inside a root directory (a container's or an image's): resolved as chroot(2) would resolve them, so
// that symbolic links and ".." of a hostile tree never lead out. See path_walk.h for how.
#pragma once

#include <sys/types.h>

#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::sys {

/// openat(2) below `root`. With O_CREAT the last component may not be a symbolic link.
Result<Fd> open_in_root(int root, const char* path, int flags, mode_t mode = 0);

/// mkdir -p below `root`; returns the directory (O_PATH). Symbolic links that point to nothing yet are
/// followed, inside the root.
Result<Fd> make_directories_in_root(int root, const char* path);

/// The directory that holds the last component of `path`, for the *at() calls that create, rename or remove
/// it; *name becomes that component ("." when the path is the root itself). A path that ends in ".." is
/// invalid. The component itself is not looked at. With `make` missing directories are made.
Result<Fd> open_parent_in_root(int root, const char* path, bool make, std::string* name);

}  // namespace slipway::sys
