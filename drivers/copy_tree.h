// Copying a whole tree, with everything that a tree has.
#pragma once

#include "src/base/result.h"

namespace slipway::drivers {

/// Copies what is below the directory `from` into the empty directory `to`, and the attributes of `from`
/// itself onto `to`: types, modes, owners, nanosecond times, all extended attributes (but `*.overlay.*` and
/// security.selinux), hard links, holes, devices. File data is shared where the file system can (FICLONE),
/// else copied in the kernel. Enters no mount point. When it returns, no entry of `to` changes its ctime any
/// more.
Status copy_tree(int from, int to);

/// Mode, owner, attributes and times of the directory `from` onto the directory `to`.
Status copy_directory_metadata(int from, int to);

}  // namespace slipway::drivers
