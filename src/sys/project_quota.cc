#include "src/sys/project_quota.h"

#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#ifndef PRJQUOTA
#define PRJQUOTA 2
#endif

namespace slipway::sys {
namespace {

int quotactl_fd(int fd, unsigned command, uint32_t id, void* address) {
  const unsigned full = (command << SUBCMDSHIFT) | (PRJQUOTA & SUBCMDMASK);
  return static_cast<int>(syscall(SYS_quotactl_fd, fd, full, id, address));
}

}  // namespace

bool has_project_quota(int fd) {
  fs_quota_statv status = {};
  status.qs_version = FS_QSTATV_VERSION1;
  constexpr unsigned kBoth = FS_QUOTA_PDQ_ACCT | FS_QUOTA_PDQ_ENFD;
  return quotactl_fd(fd, Q_XGETQSTATV, 0, &status) == 0 && (status.qs_flags & kBoth) == kBoth;
}

Result<uint32_t> free_project(int fd) {
  for (int tries = 0; tries < 100; ++tries) {
    uint32_t project = 0;
    if (getrandom(&project, sizeof project, 0) != sizeof project) continue;
    project = (project & 0x7fffffff) | 0x40000000;  // far from those that people number by hand
    fs_disk_quota quota = {};
    if (quotactl_fd(fd, Q_XGETQUOTA, project, &quota) < 0) {
      if (errno == ENOENT || errno == ESRCH) return project;
      return Error::sys(errno, "read a project quota");
    }
    if (quota.d_bcount == 0 && quota.d_icount == 0 && quota.d_blk_hardlimit == 0) return project;
  }
  return Error::of(ErrorKind::failed, "found no free project number");
}

Status set_project(int dir, uint32_t project) {
  fsxattr attributes = {};
  if (ioctl(dir, FS_IOC_FSGETXATTR, &attributes) < 0)
    return Error::sys(errno, "read the project of a directory");
  attributes.fsx_projid = project;
  attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
  if (ioctl(dir, FS_IOC_FSSETXATTR, &attributes) < 0)
    return Error::sys(errno, "set the project of a directory");
  return {};
}

Status limit_project(int fd, uint32_t project, uint64_t bytes) {
  fs_disk_quota quota = {};
  quota.d_version = FS_DQUOT_VERSION;
  quota.d_id = project;
  quota.d_flags = FS_PROJ_QUOTA;
  quota.d_fieldmask = FS_DQ_BHARD | FS_DQ_BSOFT;
  quota.d_blk_hardlimit = quota.d_blk_softlimit = bytes / 512;
  if (quotactl_fd(fd, Q_XSETQLIM, project, &quota) < 0) return Error::sys(errno, "set a project quota");
  return {};
}

}  // namespace slipway::sys
