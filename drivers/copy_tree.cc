#include "drivers/copy_tree.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "drivers/entry.h"
#include "drivers/staging.h"
#include "src/sys/file.h"

namespace slipway::drivers {
namespace {

class Copier {
 public:
  Copier(int from, int to) : from_(from), to_(to) {}

  Status run() {
    struct stat info = {};
    if (fstat(from_, &info) < 0) return Error::sys(errno, "stat `/`");
    device_ = info.st_dev;
    directories_.push_back("");
    // Grows while it is walked: parents before children.
    for (size_t i = 0; i < directories_.size(); ++i) TRY(contents(std::string(directories_[i])));
    // Children before parents, and all after the contents: making an entry changes its directory's times.
    for (size_t i = directories_.size(); i-- > 0;) {
      const Fd from = TRY(open_below(from_, directories_[i]));
      const Fd to = TRY(open_below(to_, directories_[i]));
      TRY(copy_directory_metadata(from.get(), to.get()).ctx("copy `/%s`", directories_[i].c_str()));
    }
    return {};
  }

 private:
  Status contents(const std::string& path) {
    const Fd from = TRY(open_below(from_, path));
    const Fd to = TRY(open_below(to_, path));
    for (const std::string& name : TRY(names_in(from.get(), "."))) {
      const std::string below = path.empty() ? name : path + "/" + name;
      TRY(entry(from.get(), to.get(), name.c_str(), below).ctx("copy `/%s`", below.c_str()));
    }
    return {};
  }

  Status entry(int from, int to, const char* name, const std::string& path) {
    struct stat info = {};
    if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) < 0) return Error::sys(errno, "stat");
    if (info.st_dev != device_) return Error::of(ErrorKind::failed, "it is a mount point");
    if (S_ISDIR(info.st_mode)) {
      if (mkdirat(to, name, 0700) < 0) return Error::sys(errno, "mkdir");
      directories_.push_back(path);
      return {};
    }
    if (info.st_nlink > 1) {
      const auto [known, fresh] = links_.try_emplace(info.st_ino, path);
      if (!fresh) return link(known->second, to, name);
    }
    if (S_ISREG(info.st_mode)) return file(from, to, name, info);
    if (S_ISLNK(info.st_mode)) {
      char target[4096];
      const ssize_t length = readlinkat(from, name, target, sizeof target - 1);
      if (length < 0) return Error::sys(errno, "read link");
      target[length] = 0;
      if (symlinkat(target, to, name) < 0) return Error::sys(errno, "make link");
    } else if (mknodat(to, name, info.st_mode, info.st_rdev) < 0) {
      return Error::sys(errno, "make node");
    }
    return metadata(from, to, name, info);
  }

  Status link(const std::string& existing, int to, const char* name) {
    const size_t slash = existing.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : existing.substr(0, slash);
    const Fd dir = TRY(open_below(to_, parent));
    if (linkat(dir.get(), existing.c_str() + (slash + 1), to, name, 0) < 0) return Error::sys(errno, "link");
    return {};
  }

  // Owner before mode (chown clears setuid), owner before attributes (it clears security.capability), times
  // last.
  static Status metadata(int from, int to, const char* name, const struct stat& info) {
    if (fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
      return Error::sys(errno, "chown");
    if (!S_ISLNK(info.st_mode) && fchmodat(to, name, info.st_mode & 07777, 0) < 0)
      return Error::sys(errno, "chmod");
    const Attributes attributes = TRY(read_attributes(from, name));
    TRY(write_attributes(to, name, attributes));
    const timespec times[2] = {info.st_atim, info.st_mtim};
    if (utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0) return Error::sys(errno, "set times");
    return {};
  }

  Status file(int from, int to, const char* name, const struct stat& info) {
    const Fd source = TRY(sys::open_at(from, name, O_RDONLY | O_NOFOLLOW | O_NOATIME));
    const Fd target = TRY(sys::open_at(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    if (info.st_size > 0) TRY(data(source.get(), target.get(), info.st_size));
    return metadata(from, to, name, info);
  }

  Status data(int source, int target, off_t size) {
    if (can_clone_) {
      if (ioctl(target, FICLONE, source) == 0) return {};
      can_clone_ = false;  // this file system has no shared extents; do not ask again
    }
    if (ftruncate(target, size) < 0) return Error::sys(errno, "set size");
    for (off_t at = 0; at < size;) {
      off_t begin = lseek(source, at, SEEK_DATA);
      if (begin < 0 && errno == ENXIO) return {};  // nothing but a hole is left
      off_t end = begin < 0 ? size : lseek(source, begin, SEEK_HOLE);
      if (begin < 0) begin = at;  // no SEEK_DATA here
      if (end < 0) end = size;
      TRY(range(source, target, begin, end));
      at = end;
    }
    return {};
  }

  Status range(int source, int target, off_t begin, off_t end) {
    while (can_copy_in_kernel_ && begin < end) {
      off_t to = begin;
      const ssize_t copied =
          copy_file_range(source, &begin, target, &to, static_cast<size_t>(end - begin), 0);
      if (copied == 0) return {};  // the file became shorter
      if (copied < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return Error::sys(errno, "copy");
      can_copy_in_kernel_ = copied > 0;
    }
    std::string buffer(begin < end ? 1 << 17 : 0, 0);
    while (begin < end) {
      const size_t room = std::min(buffer.size(), static_cast<size_t>(end - begin));
      const ssize_t got = pread(source, buffer.data(), room, begin);
      if (got < 0) return Error::sys(errno, "read");
      if (got == 0) return {};
      for (ssize_t done = 0; done < got;) {
        const ssize_t put =
            pwrite(target, buffer.data() + done, static_cast<size_t>(got - done), begin + done);
        if (put < 0) return Error::sys(errno, "write");
        done += put;
      }
      begin += got;
    }
    return {};
  }

  int from_, to_;
  dev_t device_ = 0;
  bool can_clone_ = true, can_copy_in_kernel_ = true;
  std::vector<std::string> directories_;
  std::map<ino_t, std::string> links_;  // inodes with several names: the first one's path
};

}  // namespace

Status copy_tree(int from, int to) {
  return Copier(from, to).run();
}

Status copy_directory_metadata(int from, int to) {
  struct stat info = {};
  if (fstat(from, &info) < 0) return Error::sys(errno, "stat");
  if (fchown(to, info.st_uid, info.st_gid) < 0) return Error::sys(errno, "chown");
  if (fchmod(to, info.st_mode & 07777) < 0) return Error::sys(errno, "chmod");
  const Attributes attributes = TRY(read_attributes(from, "."));
  TRY(write_attributes(to, ".", attributes));
  const timespec times[2] = {info.st_atim, info.st_mtim};
  if (futimens(to, times) < 0) return Error::sys(errno, "set times");
  return {};
}

}  // namespace slipway::drivers
