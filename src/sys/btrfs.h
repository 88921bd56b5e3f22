// btrfs: subvolumes, snapshots, limits, and what changed between two snapshots. By ioctl(2); needs root of the host
// but where said.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::sys {

/// The inode number of the root of every subvolume (BTRFS_FIRST_FREE_OBJECTID).
constexpr uint64_t kSubvolumeInode = 256;

Status btrfs_create_subvolume(int dir, const char* name);
/// A writable snapshot of the subvolume `source`, or a read-only one.
Status btrfs_snapshot(int dir, const char* name, int source, bool read_only);
Status btrfs_set_read_only(int subvolume, bool read_only);

/// Deletes the subvolume `name` of `dir`, and those inside it (made by a container that uses btrfs itself) first.
/// What is not there is no error. The space comes back later, in the background.
Status btrfs_delete_subvolume(int dir, const char* name);

/// Whether there are subvolumes inside this one.
bool btrfs_has_subvolumes(int subvolume);

/// The number of the subvolume that a descriptor is in.
Result<uint64_t> btrfs_subvolume_id(int fd);

/// Limits what the subvolume holds for itself alone, shared extents not counted. Switches quotas on for the whole
/// file system if they are not.
Status btrfs_limit(int subvolume, uint64_t bytes);
/// Removes the quota group of a deleted subvolume, if there is one. False: not yet, because the kernel refuses it until it
/// has deleted the subvolume in the background. (Since Linux 6.10 it then does so itself.)
bool btrfs_forget_group(int dir, uint64_t subvolume_id);

/// A path that btrfs has touched between two snapshots.
struct BtrfsTouched {
  std::string path;      // without the first "/"; it may be in one of the snapshots, in both or in none
  bool renamed = false;  // something was moved to it or from it: what is below may differ too
};
/// All paths that a stream from `parent` to `child`, both read-only snapshots, has commands for: every path that
/// differs is among them, or is below one that is in one of them only, is renamed or has another inode number.
/// Sorted, each once.
Result<std::vector<BtrfsTouched>> btrfs_touched(int parent, int child);

}  // namespace slipway::sys
