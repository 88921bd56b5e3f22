// Containers without a mount namespace of their own: what they mount is the caller's, too. All of it hangs below one
// bind of the root file system onto itself, which goes with the container.
#pragma once

#include <cstdint>
#include <string>

namespace slipway::runtime {

/// The root file system before anything is mounted on it.
struct BareRoot {
  std::string path;  // empty: the container has a mount namespace of its own
  uint64_t mount = 0;
  uint64_t device = 0, inode = 0;

  static BareRoot at(const std::string& path);
};

/// The bind that whoever began with `bare` has made: it hangs on that mount and shows the same directory. 0: there is
/// none, or this is another mount namespace.
uint64_t find_shared_root(const BareRoot& bare);

/// Takes the mount away, with all below it, if it is still what the path leads to.
void unmount_shared_root(const std::string& path, uint64_t mount);

}  // namespace slipway::runtime
