// Where a container's cgroup goes: cgroupsPath of config.json (config-linux.md, "Cgroups Path") as a place.
// Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace slipway::runtime {

/// Makes the path absolute and plain, without looking at any file system: "a//b/../c" is "/a/c", and ".."
/// ends at "/". A path from a hostile config.json so stays below the root of its hierarchy.
std::string clean_cgroup_path(std::string_view path);

struct CgroupPlace {
  bool below_own = false;  // else below the root of the hierarchy
  std::string path;        // "/a/b"
};
/// Absolute paths begin at the hierarchy's root; relative ones at the caller's own cgroup; "" is the id, at
/// the caller's own cgroup.
CgroupPlace plan_cgroup_path(std::string_view cgroups_path, std::string_view id);

/// cgroupsPath for systemd: "slice:prefix:name".
struct SystemdPlace {
  std::string slice;       // "machine.slice"
  std::string unit;        // "prefix-name.scope", or a name that ends in .slice
  std::string slice_path;  // "/a.slice/a-b.slice" of a-b.slice
  bool unit_is_slice = false;
};
/// "" is the id below system.slice, or user.slice for a `rootless` caller.
Result<SystemdPlace> plan_systemd_place(std::string_view cgroups_path, std::string_view id, bool rootless);

/// "a-b.slice" is "/a.slice/a-b.slice"; "-.slice" is "".
Result<std::string> expand_slice(std::string_view slice);

}  // namespace slipway::runtime
