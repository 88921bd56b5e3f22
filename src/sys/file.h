// Small files, whole: reading with a bound, writing, and replacing so that a reader sees the old or the new
// text.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::sys {

/// openat(2) with O_CLOEXEC. `mode` as for O_CREAT.
/// Opens /dev/null for each standard stream that the caller has closed: else the next file opened would be taken for it.
void fill_standard_streams();

Result<Fd> open_at(int dir, const char* path, int flags, mode_t mode = 0);

/// The whole file; more than `limit` bytes is ErrorKind::invalid. Regular files and /proc alike.
Result<std::string> read_file_at(int dir, const char* path, size_t limit);
Result<std::string> read_all(int fd, size_t limit);

/// All of the text, in one write(2) where the kernel takes it (cgroup and /proc files need that).
Status write_all(int fd, std::string_view text);
/// Opens an existing file (never creates one) and writes.
Status write_file_at(int dir, const char* path, std::string_view text);

/// Makes the file, which must not exist.
Status write_new_file_at(int dir, const char* path, std::string_view text, mode_t mode);

/// Replaces the file by rename; with `sync` the text and the directory are on disk before it returns.
Status replace_file_at(int dir, const char* path, std::string_view text, mode_t mode, bool sync);

/// Tells ext4 that the directories that are made in this one have nothing to do with each other, so that it puts each into
/// a block group of its own. Else they all share that of their parent, and whoever makes a file pays for every inode
/// of the group that was freed in the last minute (recently_deleted() in fs/ext4/ialloc.c; without a journal): 3 s
/// instead of 0.5 s for the 5,000 files of an image, 14 ms instead of 10.5 for a container. Other file systems refuse
/// the flag, and need not know.
void spread_directories(int dir);

/// mkdir -p below an existing directory; existing parts are left as they are.
Status make_directories(const std::string& path, mode_t mode);

}  // namespace slipway::sys
