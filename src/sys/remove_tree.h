// Removing a directory tree.
#pragma once

#include "src/base/result.h"

namespace slipway::sys {

/// rm -rf of the path `name`, relative to the directory `dir`. What is not there (any more) is no error, so two processes may
/// remove the same tree. Follows no symbolic link and enters no mount point (an error, EXDEV: what is mounted
/// there is not ours). Trees of any depth: what lies deeper than the descriptors of a process reach is moved
/// up beside `name` first, under names that begin with ".deep-".
Status remove_tree(int dir, const char* name);

}  // namespace slipway::sys
