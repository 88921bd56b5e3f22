#include "src/sys/directory.h"

#include <dirent.h>
#include <fcntl.h>

#include <cerrno>
#include <memory>

#include "src/base/fd.h"

namespace slipway::sys {

namespace {
struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};
}  // namespace

Result<std::vector<DirectoryEntry>> list_directory(int dir) {
  Fd fd(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return Error::sys(errno, "open directory");
  const std::unique_ptr<DIR, CloseDir> stream(fdopendir(fd.get()));
  if (!stream) return Error::sys(errno, "fdopendir");
  (void)fd.release();  // the stream's now
  std::vector<DirectoryEntry> entries;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (!entry) break;
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") entries.push_back({std::string(name), entry->d_type});
  }
  if (errno != 0) return Error::sys(errno, "read directory");
  return entries;
}

}  // namespace slipway::sys
