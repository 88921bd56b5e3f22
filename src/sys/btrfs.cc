#include "src/sys/btrfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/sys/directory.h"
#include "src/sys/file.h"

namespace slipway::sys {
namespace {

template <class Args>
Status set_name(Args& args, const char* name) {
  if (strlen(name) > BTRFS_SUBVOL_NAME_MAX - 1) return Error::sys(ENAMETOOLONG, "subvolume `%s`", name);
  strcpy(args.name, name);
  return {};
}

// Deletes the subvolumes below a directory, the deepest first. Directories only: they are found by their inode
// number.
Status delete_inside(int parent, const char* name) {
  Fd dir(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!dir) return errno == ENOENT ? Status() : Status(Error::sys(errno, "open subvolume `%s`", name));
  for (const DirectoryEntry& entry : TRY(list_directory(dir.get()))) {
    if (entry.type != DT_DIR) continue;
    TRY(delete_inside(dir.get(), entry.name.c_str()));
    struct stat info = {};
    if (fstatat(dir.get(), entry.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0 ||
        info.st_ino != kSubvolumeInode)
      continue;
    TRY(btrfs_delete_subvolume(dir.get(), entry.name.c_str()));
  }
  return {};
}

}  // namespace

Status btrfs_create_subvolume(int dir, const char* name) {
  btrfs_ioctl_vol_args_v2 args = {};
  TRY(set_name(args, name));
  if (ioctl(dir, BTRFS_IOC_SUBVOL_CREATE_V2, &args) < 0)
    return Error::sys(errno, "make subvolume `%s`", name);
  return {};
}

Status btrfs_snapshot(int dir, const char* name, int source, bool read_only) {
  btrfs_ioctl_vol_args_v2 args = {};
  TRY(set_name(args, name));
  args.fd = source;
  args.flags = read_only ? BTRFS_SUBVOL_RDONLY : 0;
  if (ioctl(dir, BTRFS_IOC_SNAP_CREATE_V2, &args) < 0) return Error::sys(errno, "make snapshot `%s`", name);
  return {};
}

Status btrfs_set_read_only(int subvolume, bool read_only) {
  uint64_t flags = 0;
  if (ioctl(subvolume, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0)
    return Error::sys(errno, "read subvolume flags");
  const uint64_t wanted =
      read_only ? flags | BTRFS_SUBVOL_RDONLY : flags & ~static_cast<uint64_t>(BTRFS_SUBVOL_RDONLY);
  if (wanted != flags && ioctl(subvolume, BTRFS_IOC_SUBVOL_SETFLAGS, &wanted) < 0)
    return Error::sys(errno, "set subvolume flags");
  return {};
}

Status btrfs_delete_subvolume(int dir, const char* name) {
  btrfs_ioctl_vol_args args = {};
  if (strlen(name) > BTRFS_PATH_NAME_MAX) return Error::sys(ENAMETOOLONG, "subvolume `%s`", name);
  strcpy(args.name, name);
  if (ioctl(dir, BTRFS_IOC_SNAP_DESTROY, &args) == 0 || errno == ENOENT) return {};
  if (errno != ENOTEMPTY) return Error::sys(errno, "delete subvolume `%s`", name);
  const Fd self = TRY(open_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(btrfs_set_read_only(self.get(), false));
  TRY(delete_inside(dir, name));
  if (ioctl(dir, BTRFS_IOC_SNAP_DESTROY, &args) < 0 && errno != ENOENT)
    return Error::sys(errno, "delete subvolume `%s`", name);
  return {};
}

bool btrfs_has_subvolumes(int subvolume) {
  btrfs_ioctl_get_subvol_rootref_args args = {};
  // EOVERFLOW: more than fit in.
  return ioctl(subvolume, BTRFS_IOC_GET_SUBVOL_ROOTREF, &args) < 0 ? errno == EOVERFLOW : args.num_items > 0;
}

Result<uint64_t> btrfs_subvolume_id(int fd) {
  btrfs_ioctl_ino_lookup_args args = {};
  args.objectid = BTRFS_FIRST_FREE_OBJECTID;
  if (ioctl(fd, BTRFS_IOC_INO_LOOKUP, &args) < 0) return Error::sys(errno, "read subvolume number");
  return args.treeid;
}

Status btrfs_limit(int subvolume, uint64_t bytes) {
  btrfs_ioctl_qgroup_limit_args limit = {};
  limit.lim.flags = BTRFS_QGROUP_LIMIT_MAX_EXCL;
  limit.lim.max_excl = bytes;
  if (ioctl(subvolume, BTRFS_IOC_QGROUP_LIMIT, &limit) == 0) return {};
  if (errno != EINVAL && errno != ENOTCONN && errno != ENOENT) return Error::sys(errno, "limit a subvolume");
  btrfs_ioctl_quota_ctl_args control = {};
  control.cmd = BTRFS_QUOTA_CTL_ENABLE;
  if (ioctl(subvolume, BTRFS_IOC_QUOTA_CTL, &control) < 0) return Error::sys(errno, "switch quotas on");
  if (ioctl(subvolume, BTRFS_IOC_QUOTA_RESCAN_WAIT) < 0) return Error::sys(errno, "wait for the quota scan");
  if (ioctl(subvolume, BTRFS_IOC_QGROUP_LIMIT, &limit) < 0) return Error::sys(errno, "limit a subvolume");
  return {};
}

bool btrfs_forget_group(int dir, uint64_t subvolume_id) {
  btrfs_ioctl_qgroup_create_args args = {};
  args.create = 0;
  args.qgroupid = subvolume_id;
  return ioctl(dir, BTRFS_IOC_QGROUP_CREATE, &args) == 0 || errno != EBUSY;
}

}  // namespace slipway::sys
