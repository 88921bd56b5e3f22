#include "src/sys/remove_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "src/base/fd.h"
#include "src/sys/directory.h"
#include "src/sys/kernel.h"

namespace slipway::sys {
namespace {

constexpr int kDeepest = 100;  // descriptors that one removal may hold

class Remover {
 public:
  explicit Remover(int top) : top_(top) {}

  Status remove(const char* name) {
    TRY(entry(top_, name, DT_UNKNOWN, 0));
    while (!moved_.empty()) {
      const std::string next = std::move(moved_.back());
      moved_.pop_back();
      TRY(entry(top_, next.c_str(), DT_DIR, 0));
    }
    return {};
  }

 private:
  Status entry(int dir, const char* name, unsigned char type, int depth) {
    if (type != DT_DIR) {
      if (unlinkat(dir, name, 0) == 0 || errno == ENOENT) return {};
      // Linux says EISDIR, POSIX wants EPERM; EPERM may also be an immutable file, and then rmdir says
      // ENOTDIR.
      if (errno != EISDIR && errno != EPERM) return Error::sys(errno, "remove `%s`", name);
    }
    if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    if (errno == ENOTDIR) return Error::sys(EPERM, "remove `%s`", name);
    if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES)
      return Error::sys(errno, "remove directory `%s`", name);
    if (depth >= kDeepest) return move_up(dir, name);
    return directory(dir, name, depth);
  }

  Status directory(int dir, const char* name, int depth) {
    const uint64_t flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    Fd fd(openat2(dir, name, flags, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV));
    if (!fd && errno == EACCES) {  // rootless: a directory that its owner may not read
      if (fchmodat(dir, name, 0700, 0) < 0) return Error::sys(errno, "chmod `%s`", name);
      fd = Fd(openat2(dir, name, flags, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV));
    }
    if (!fd && errno == ENOENT) return {};
    if (!fd) return Error::sys(errno, "remove directory `%s`", name);
    // Some file systems skip entries when others go while they are read: again, until nothing is left.
    DirectoryReader reader(fd.get());
    for (bool found = true; found; reader.rewind()) {
      found = false;
      while (const dirent64* at = reader.next()) {
        found = true;
        TRY(entry(fd.get(), at->d_name, at->d_type, depth + 1));
      }
      if (reader.error() != 0) return Error::sys(reader.error(), "read directory `%s`", name);
      if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
      if (errno != ENOTEMPTY && errno != EEXIST) break;
    }
    return Error::sys(errno, "remove directory `%s`", name);
  }

  Status move_up(int dir, const char* name) {
    char place[48];
    do {  // a process that had our number may have left the name behind
      snprintf(place, sizeof place, ".deep-%d-%u", static_cast<int>(getpid()), count_++);
      if (renameat(dir, name, top_, place) == 0) break;
      if (errno == ENOENT) return {};
      if (errno != EEXIST && errno != ENOTEMPTY) return Error::sys(errno, "move up `%s`", name);
    } while (true);
    moved_.push_back(place);
    return {};
  }

  int top_;
  unsigned count_ = 0;
  std::vector<std::string> moved_;
};

}  // namespace

Status remove_tree(int dir, const char* name) {
  const char* slash = strrchr(name, '/');
  if (!slash) return Remover(dir).remove(name);
  // The way there may cross mount points, the tree may not.
  const std::string parent(name, static_cast<size_t>(slash - name) + 1);
  const Fd fd(openat(dir, parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno == ENOENT ? Status() : Status(Error::sys(errno, "open `%s`", parent.c_str()));
  return Remover(fd.get()).remove(slash + 1);
}

}  // namespace slipway::sys
