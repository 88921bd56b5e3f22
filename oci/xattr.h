// Extended attributes of layers.
#pragma once

#include <string_view>

#include "src/base/result.h"
#include "src/sys/xattr.h"

namespace slipway::oci {

/// Attributes that are not a layer's, and so are neither taken from an archive nor given out: those that steer overlay
/// mounts (in a layer from elsewhere they could show files of the host), the labels that the host's own security modules
/// give to files by where they lie (SELinux, Smack, EVM), and the second name that xfs has for an ACL.
bool is_private_xattr(std::string_view name);

/// Sets all but those; what the file system or the user may not have (ENOTSUP, EPERM) is left out.
Status set_xattrs(int fd, const sys::Xattrs& xattrs);
/// The same for an entry that cannot be opened, a symbolic link or a device: `name` in `dir`.
Status set_xattrs_at(int dir, const char* name, const sys::Xattrs& xattrs);

/// Removes all but `wanted` and the private ones: what an entry inherited from a directory with a default ACL, or had
/// before. To be done before chmod(2), which a file with an ACL takes otherwise.
Status remove_other_xattrs(int fd, const sys::Xattrs& wanted);
Status remove_other_xattrs_at(int dir, const char* name, const sys::Xattrs& wanted);

/// All but those, sorted by name. A file system without attributes has none.
Result<sys::Xattrs> get_xattrs(int fd);
Result<sys::Xattrs> get_xattrs_at(int dir, const char* name);

}  // namespace slipway::oci
