// The options of a mount in config.json (config.md, "Linux mount options"), sorted into what the kernel takes
// where.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/base/arena.h"
#include "src/base/result.h"

namespace slipway::runtime {

/// What mount_setattr(2) is to do: bits of MOUNT_ATTR_*. Every bit is in at most one of the two, but for
/// the access time modes: any of them is set together with MOUNT_ATTR__ATIME cleared.
struct AttributeChange {
  uint64_t set = 0;
  uint64_t clear = 0;
  bool any() const { return set || clear; }
};

/// Plain data. Later options win over earlier ones.
struct MountOptions {
  unsigned long flags = 0;      // MS_*: what mount(2) takes for a file system, without bind and propagation
  AttributeChange own;          // the same for the mount alone; `clear` holds what was expressly cleared
  AttributeChange recursive;    // for the mount and all below it: rro, rnosuid ...
  List<unsigned long> changes;  // propagation: MS_SHARED, MS_SLAVE ..., with MS_REC; applied in this order
  bool bind = false;
  bool bind_recursive = false;
  bool remount = false;  // on a bind: what is not mentioned keeps the source's attributes
  bool idmap = false;
  bool idmap_recursive = false;
  Str idmap_text;                // crun's idmap=uids=0-1000-1;gids=0-1000-1
  bool copy_up = false;          // tmpcopyup: a tmpfs that begins with what it covers
  bool copy_symlink = false;     // crun: a bind whose source is a symbolic link makes the same link
  bool source_nofollow = false;  // crun
  bool destination_nofollow = false;
  Str data;  // all others, joined by commas: the file system's own
};

/// Never fails on a word: what is not known is the file system's own.
MountOptions sort_mount_options(const List<Str>& options, Arena& arena);

/// All options that are known here by name, sorted: for `features`.
struct MountOptionNames {
  const std::string_view* names;
  size_t count;
};
MountOptionNames mount_option_names();

}  // namespace slipway::runtime
