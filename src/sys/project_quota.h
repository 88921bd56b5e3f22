// Project quotas: a limit on what a directory tree holds, on xfs and ext4.
#pragma once

#include <cstdint>

#include "src/base/result.h"

namespace slipway::sys {

/// Whether project quotas are counted and enforced on the file system of `fd`. Needs quotactl_fd(2), Linux 5.14.
bool has_project_quota(int fd);

/// A project number that nobody uses, on the file system of `fd`.
Result<uint32_t> free_project(int fd);
/// What the directory holds, and all that will be made in it, belongs to the project. Entries cannot be renamed from one
/// project's directories to another's (EXDEV).
Status set_project(int dir, uint32_t project);
/// Writers get EDQUOT or ENOSPC beyond; 0 takes the limit away.
Status limit_project(int fd, uint32_t project, uint64_t bytes);

}  // namespace slipway::sys
