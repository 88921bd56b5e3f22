// One entry of a tree: what it is, and whether two of them are the same.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/xattr.h"

namespace slipway::drivers {

/// Names and values of an entry's extended attributes, sorted by name. Left out are those that are not the
/// entry's own: `trusted.overlay.*` and `user.overlay.*` (overlay's book-keeping) and `security.selinux`
/// (given by where the tree lies). `name` is not followed if it is a symbolic link. Needs /proc.
using Attributes = sys::Xattrs;
Result<Attributes> read_attributes(int dir, const char* name);

/// Sets the attributes of `name`. What the file system does not take at all (ENOTSUP) is left out.
Status write_attributes(int dir, const char* name, const Attributes& attributes);

/// The value of one attribute; "" when there is none.
std::string read_attribute(int dir, const char* name, const char* attribute);

/// Whether there is such an attribute; it may be empty.
bool has_attribute(int dir, const char* name, const char* attribute);

/// Whether type, mode, owner, device number and, but for directories, size and modification time are equal.
/// Times match also when one of them has no fraction of a second: archives drop it.
bool same_stat(const struct stat& one, const struct stat& other);

/// Whether same_stat() entries have the same attributes and, for symbolic links, the same target.
Result<bool> same_details(int one_dir, int other_dir, const char* name, const struct stat& info);

/// Whether two regular files hold the same bytes.
Result<bool> same_bytes(int one_dir, int other_dir, const char* name);

/// A directory below `root` by its path ("" is `root` itself); no symbolic link is followed.
Result<Fd> open_below(int root, const std::string& path);

}  // namespace slipway::drivers
