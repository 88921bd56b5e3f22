// What to mount, as data: drivers say it; the runtime's child, or mount.h for whoever needs the tree without
// a container, performs it. Rich enough for all drivers:
//
//   overlay2      filesystem "overlay", options lowerdir+ (one per layer, uppermost first), upperdir,
//   workdir;
//                 `legacy` with paths relative to `legacy_cwd` for kernels before 6.7
//   vfs, btrfs    bind of the layer's directory
//   devicemapper  filesystem "ext4" or "xfs" with `source` = the activated device
//   aufs          no options, only `legacy` and `legacy_remounts` (it does not know the mount API of 5.2)
//   file-backed   filesystem "erofs", `source` = the index file, option device = the layer's blob (6.12)
//
// An overlay may have lower layers that are mounts themselves: put them into `layers` and name them in an
// option by their index. They are never attached anywhere (6.15).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace slipway::sys {

/// `count` ids from `inside` (as stored, and as seen in the user namespace) on are those from `outside` on.
struct IdRange {
  uint32_t inside = 0;
  uint32_t outside = 0;
  uint32_t count = 0;
};

/// One file system to be mounted as the root of a tree.
struct MountSpec {
  enum class Kind : uint8_t {
    filesystem,  // fsopen(type) and the options by fsconfig in their order; where that cannot be, `legacy`
    bind,        // a recursive bind of `source`
  };
  /// A key without a value and without a layer is a flag.
  struct Option {
    std::string key;
    std::string value;
    int layer = -1;  // instead of a value: the mount layers[layer], by descriptor
  };

  Kind kind = Kind::bind;
  std::string source;  // bind: the directory; filesystem: the device, or any word ("overlay")
  std::string type;    // filesystem
  std::vector<Option> options;
  std::vector<MountSpec> layers;

  std::string legacy;                        // the same as one option string for mount(2); "" for none
  std::string legacy_cwd;                    // what relative paths in `legacy` are relative to; "" for none
  std::vector<std::string> legacy_remounts;  // further option strings, each by MS_REMOUNT (aufs: append)

  // The tree is this directory of the file system, a name without "/"; "": its root (devicemapper: rootfs).
  std::string subdirectory;
  bool read_only = false;
  std::vector<IdRange> uid_map, gid_map;  // idmapped mount (5.12); both or none
  // Files and what is written to them when it is mounted, for what no mount option says. Done by mount_detached() only.
  std::vector<std::pair<std::string, std::string>> settings;
  std::string target;  // a directory that always exists, where a container's own mount namespace has the tree
};

}  // namespace slipway::sys
