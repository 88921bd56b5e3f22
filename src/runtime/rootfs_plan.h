// What the child does to build the container's file system tree, as plain data: written by rootfs_plan.cc and
// its neighbours in the parent, walked by child_rootfs.cc and its neighbours.
#pragma once

#include <cstdint>
#include <type_traits>

#include "src/base/arena.h"
#include "src/runtime/mount_options.h"
#include "src/sys/mount_spec.h"

namespace slipway::runtime {

/// One step of the mounts. All text lives in the plan's arena; "" is none.
struct PlannedMount {
  enum class Kind : uint8_t {
    filesystem,  // `type` by mount(2), or by fsopen when it is to be idmapped
    bind,
    cgroup2,  // a file system of type cgroup2; where that is refused, or no cgroup namespace is the
              // container's own, a bind of `source`
    link,     // a symbolic link `source` at `destination`
  };
  Kind kind = Kind::filesystem;
  const char* destination = "";  // absolute, in the container
  const char* source = "";
  const char* type = "";
  const char* data = "";            // the file system's own options
  const char* data_retry = "";      // when `data` is refused with EINVAL: devpts without an unmapped gid=5
  const char* bind_instead = "";    // when the file system is refused with EPERM or EBUSY: bind this
  unsigned long flags = 0;          // MS_*, file systems
  AttributeChange attributes;       // binds: set exactly this, see attributes_kept
  AttributeChange attributes_kept;  // the same, leaving alone what is not mentioned: locked flags
  AttributeChange recursive;        // after all
  List<unsigned long> propagation;
  int tree = -1;   // a bind's source, cloned in the host's context by the parent; else -1
  int idmap = -1;  // a user namespace, else -1
  bool idmap_recursive = false;
  bool bind_recursive = false;
  bool real_directory = false;  // proc, sysfs: no symbolic link may lead there (CVE-2019-19921, -2023-27561)
  bool inherit_mode = false;    // tmpfs: the mode of the directory it covers
  bool copy_up = false;
  bool copy_symlink = false;
  bool source_nofollow = false;
  bool destination_nofollow = false;
  bool read_only_later = false;  // later steps write there: made read-only after pivot_root
  bool may_be_missing = false;   // a bind whose source does not exist is left out
  bool in_cgroups = false;       // only when the process is in its cgroups
  bool over_proc = false;        // allowed to cover a file of /proc
};

struct PlannedDevice {
  const char* path = "";  // absolute, in the container
  uint32_t mode = 0;      // with S_IFCHR, S_IFBLK or S_IFIFO
  uint32_t uid = 0, gid = 0;
  uint64_t device = 0;  // dev_t
};

struct RootfsPlan {
  const char* root = "";                   // canonical path on the host; with `layers` their target
  const sys::MountSpec* layers = nullptr;  // what to mount there
  int layers_idmap = -1;
  int root_tree = -1;  // instead of both: mounted in the host's context by the parent, attached nowhere yet
  unsigned long old_propagation = 0;   // of the tree that the child starts with
  unsigned long root_propagation = 0;  // of "/" at the end; 0: leave it
  bool parent_private = false;         // the old tree stays shared: the mount that holds the root must not
  bool read_only = false;
  bool no_pivot = false;
  bool shared_mounts = false;  // the mount namespace is not the container's own: chroot(2)
  bool user_namespace = false;

  List<PlannedMount> mounts;

  bool set_up_dev = false;  // devices and links; not when /dev is the host's, by a bind
  List<PlannedDevice> devices;
  bool core_link = false;  // /dev/core

  List<Str> masked, read_only_paths;
  List<Str>
      bare;  // --no-pivot: proc and sysfs mounts of the host, which chroot(2) would not put out of reach

  uint16_t console_height = 0, console_width = 0;
};

static_assert(std::is_trivially_copyable_v<PlannedMount> && std::is_trivially_copyable_v<RootfsPlan>);

}  // namespace slipway::runtime
