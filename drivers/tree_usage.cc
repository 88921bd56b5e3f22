#include "drivers/tree_usage.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <unordered_set>

#include "drivers/entry.h"
#include "drivers/staging.h"

namespace slipway::drivers {
namespace {

class Sum {
 public:
  void add(const struct stat& info) {
    if (S_ISCHR(info.st_mode) && info.st_rdev == 0) return;
    if (info.st_nlink > 1 && !S_ISDIR(info.st_mode) && !seen_.insert(info.st_ino).second) return;
    usage.allocated += static_cast<uint64_t>(info.st_blocks) * 512;
    if (S_ISREG(info.st_mode) || S_ISLNK(info.st_mode)) usage.bytes += static_cast<uint64_t>(info.st_size);
    ++usage.inodes;
  }
  Usage usage;

 private:
  std::unordered_set<ino_t> seen_;
};

}  // namespace

Result<Usage> usage_of(int contents, const std::vector<Change>& changes) {
  Sum sum;
  for (const Change& change : changes) {
    if (change.kind == ChangeKind::deleted || change.path == "/") continue;
    struct stat info = {};
    if (fstatat(contents, change.path.c_str() + 1, &info, AT_SYMLINK_NOFOLLOW) < 0) {
      if (errno == ENOENT || errno == ENOTDIR) continue;  // a running container
      return Error::sys(errno, "stat `%s`", change.path.c_str());
    }
    sum.add(info);
  }
  return sum.usage;
}

Result<Usage> usage_of_tree(int tree) {
  Sum sum;
  std::vector<std::string> pending = {""};
  while (!pending.empty()) {
    const std::string path = std::move(pending.back());
    pending.pop_back();
    Result<Fd> dir = open_below(tree, path);
    if (!dir.ok()) {
      if (dir.error().code() == ENOENT) continue;
      return std::move(dir).error();
    }
    for (const std::string& name : TRY(names_in(dir->get(), "."))) {
      struct stat info = {};
      if (fstatat(dir->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0) continue;
      sum.add(info);
      if (S_ISDIR(info.st_mode)) pending.push_back(path.empty() ? name : path + "/" + name);
    }
  }
  return sum.usage;
}

}  // namespace slipway::drivers
