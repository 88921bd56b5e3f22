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
  std::string legacy;                                        // the same as one option string for mount(2)
  std::string legacy_cwd;  // directory that relative paths in `legacy` are seen from; "" when there are none
  std::vector<std::string>
      legacy_remounts;  // further option strings, each applied by MS_REMOUNT (aufs: append)
  bool read_only = false;
  std::string
      target;  // a directory that always exists, where the tree may be mounted (in a private namespace)
};

}  // namespace slipway::sys
