// What to mount, as data: drivers say it, the runtime's child (or a private mount namespace) performs it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace slipway::sys {

/// One file system to be mounted as the root of a tree.
struct MountSpec {
  enum class Kind : uint8_t {
    filesystem,  // fsopen(type); each option by fsconfig in this order (an option without value is a flag);
                 // kernels without fsopen or without `lowerdir+`: `legacy` by mount(2)
    bind,        // a bind of `source`
  };

  Kind kind = Kind::bind;
  std::string source;  // bind: the directory; filesystem: the device or "overlay", "none"
  std::string type;    // filesystem
  std::vector<std::pair<std::string, std::string>> options;  // fsconfig keys and values
  std::string legacy;  // the same as one option string for mount(2); less than a page
  // The directory that relative paths in `options` and `legacy` are seen from ("" when there are none): a
  // value of fsconfig(2) has at most 255 bytes, and a store may have a longer path than that.
  std::string legacy_cwd;
  // Further option strings, each applied by MS_REMOUNT after `legacy` (aufs: append).
  std::vector<std::string> legacy_remounts;
  bool legacy_only = false;  // `options` does not say it: mount(2) is the only way (aufs)
  // The tree is this directory of the file system, a name without "/"; "": its root.
  std::string subdirectory;
  bool read_only = false;
  // A directory that always exists, where the tree may be mounted (in a private namespace).
  std::string target;
};

}  // namespace slipway::sys
