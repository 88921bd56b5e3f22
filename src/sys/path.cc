#include "src/sys/path.h"

#include <fcntl.h>

#include <cerrno>
#include <string_view>

#include "src/sys/path_walk.h"

namespace slipway::sys {

Result<Fd> open_in_root(int root, const char* path, int flags, mode_t mode) {
  if (flags & O_CREAT) {
    std::string name;
    const Fd parent = TRY(open_parent_in_root(root, path, false, &name));
    Fd fd(openat(parent.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!fd) return Error::sys(errno, "open `%s`", path);
    return fd;
  }
  Fd fd(walk_in_root(root, path, flags & ~O_NOFOLLOW, flags & O_NOFOLLOW ? unsigned{kWalkNoFollow} : 0u));
  if (!fd) return Error::sys(errno, "open `%s`", path);
  return fd;
}

Result<Fd> make_directories_in_root(int root, const char* path) {
  Fd fd(walk_in_root(root, path, O_PATH | O_DIRECTORY, kWalkMakeDirectories));
  if (!fd) return Error::sys(errno, "mkdir `%s`", path);
  return fd;
}

Result<Fd> open_parent_in_root(int root, const char* path, bool make, std::string* name) {
  std::string_view text = path;
  while (!text.empty() && text.back() == '/') text.remove_suffix(1);
  const size_t slash = text.rfind('/');  // npos + 1 is 0
  const std::string_view last = text.substr(slash + 1);
  if (last == "..") return Error::of(ErrorKind::invalid, "`%s` ends in `..`", path);
  *name = last.empty() ? "." : last;
  const std::string parent(slash == std::string_view::npos ? "." : text.substr(0, slash + 1));
  Fd fd(walk_in_root(root, parent.c_str(), O_PATH | O_DIRECTORY, make ? unsigned{kWalkMakeDirectories} : 0u));
  if (!fd) return Error::sys(errno, make ? "mkdir `%s`" : "open `%s`", parent.c_str());
  return fd;
}

}  // namespace slipway::sys
