#include "src/sys/directory.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "src/base/fd.h"

namespace slipway::sys {

namespace {

bool is_dots(const char* name) {
  return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

}  // namespace

const dirent64* DirectoryReader::next() {
  for (;;) {
    if (next_ == size_) {
      const long size = syscall(SYS_getdents64, dir_, buffer_, sizeof buffer_);
      error_ = size < 0 && errno != ENOENT ? errno : 0;  // ENOENT: the directory has been removed meanwhile
      if (size <= 0) return nullptr;
      next_ = 0;
      size_ = static_cast<size_t>(size);
    }
    const auto* const entry = reinterpret_cast<const dirent64*>(buffer_ + next_);
    next_ += entry->d_reclen;
    if (!is_dots(entry->d_name)) return entry;
  }
}

void DirectoryReader::rewind() {
  lseek(dir_, 0, SEEK_SET);
  next_ = size_ = 0;
}

Result<std::vector<DirectoryEntry>> list_directory(int dir) {
  const Fd fd(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return Error::sys(errno, "open directory");
  DirectoryReader reader(fd.get());
  std::vector<DirectoryEntry> entries;
  while (const dirent64* entry = reader.next()) entries.push_back({entry->d_name, entry->d_type});
  if (reader.error() != 0) return Error::sys(reader.error(), "read directory");
  return entries;
}

}  // namespace slipway::sys
