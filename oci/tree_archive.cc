#include "oci/tree_archive.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "oci/xattr.h"
#include "src/base/fd.h"
#include "src/sys/directory.h"
#include "src/sys/kernel.h"

namespace slipway::oci {

namespace {

constexpr uint64_t kInside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
constexpr size_t kPiece = 256 << 10;

/// The type of an entry; false for a socket, which no archive can hold.
bool set_type(mode_t mode, TarEntry* entry) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      entry->type = TarEntry::Type::regular;
      return true;
    case S_IFDIR:
      entry->type = TarEntry::Type::directory;
      return true;
    case S_IFLNK:
      entry->type = TarEntry::Type::symlink;
      return true;
    case S_IFCHR:
      entry->type = TarEntry::Type::character;
      return true;
    case S_IFBLK:
      entry->type = TarEntry::Type::block;
      return true;
    case S_IFIFO:
      entry->type = TarEntry::Type::fifo;
      return true;
    default:
      return false;
  }
}

Result<std::string> read_link(int dir, const char* name, size_t size) {
  std::string target(std::max<size_t>(size, 64) + 1, '\0');
  const ssize_t got = readlinkat(dir, name, target.data(), target.size());
  if (got < 0) return Error::sys(errno, "read the link `%s`", name);
  target.resize(static_cast<size_t>(got));
  return target;
}

}  // namespace

Status TreeArchiver::add_tree() {
  TRY(add(""));
  return add_below(root_, "");
}

Status TreeArchiver::add_below(int dir, const std::string& path) {
  std::vector<sys::DirectoryEntry> entries = TRY(sys::list_directory(dir).ctx("`%s`", path.c_str()));
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const sys::DirectoryEntry& entry : entries) {
    const std::string child = path.empty() ? entry.name : path + "/" + entry.name;
    if (!TRY(add_at(dir, entry.name.c_str(), child)) && !edit_) continue;
    if (entry.type != DT_DIR && entry.type != DT_UNKNOWN) continue;
    const Fd below(sys::openat2(dir, entry.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, kInside));
    if (below) {
      TRY(add_below(below.get(), child));
    } else if (errno != ENOTDIR && errno != ELOOP && errno != ENOENT) {
      return Error::sys(errno, "open directory `%s`", child.c_str());
    }
  }
  return {};
}

Result<bool> TreeArchiver::add(const std::string& path) {
  if (path.empty()) return add_at(root_, ".", "./");
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return add_at(root_, path.c_str(), path);
  const Fd parent(sys::openat2(root_, path.substr(0, slash).c_str(), O_RDONLY | O_DIRECTORY, kInside));
  if (!parent) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return false;
    return Error::sys(errno, "open the directory of `%s`", path.c_str());
  }
  return add_at(parent.get(), path.c_str() + slash + 1, path);
}

Result<bool> TreeArchiver::add_at(int dir, const char* name, const std::string& path) {
  struct stat info;
  if (fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return false;
    return Error::sys(errno, "stat `%s`", path.c_str());
  }
  TarEntry entry;
  entry.path = path;
  if (!set_type(info.st_mode, &entry)) return false;
  Fd file;
  if (entry.type == TarEntry::Type::regular) {
    file = Fd(openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file && (errno == ENOENT || errno == ELOOP)) return false;
    if (!file) return Error::sys(errno, "open `%s`", path.c_str());
    // What was opened counts: the name may stand for something else by now.
    if (fstat(file.get(), &info) < 0) return Error::sys(errno, "stat `%s`", path.c_str());
    if (!S_ISREG(info.st_mode)) return false;
  }
  entry.mode = info.st_mode & 07777;
  entry.uid = info.st_uid;
  entry.gid = info.st_gid;
  entry.mtime = info.st_mtim;
  entry.device = info.st_rdev;
  if (entry.type != TarEntry::Type::directory && info.st_nlink > 1 && !edit_) {
    const auto [first, fresh] = links_.emplace(std::pair(info.st_dev, info.st_ino), path);
    if (!fresh) {
      entry.type = TarEntry::Type::hard_link;
      entry.link = first->second;
      TRY(writer_.begin(entry).ctx("`%s`", path.c_str()));
      return true;
    }
  }
  if (entry.type == TarEntry::Type::symlink)
    entry.link = TRY(read_link(dir, name, static_cast<size_t>(info.st_size)));
  entry.xattrs = TRY((file ? get_xattrs(file.get()) : get_xattrs_at(dir, name)).ctx("`%s`", path.c_str()));
  if (entry.type == TarEntry::Type::regular) entry.size = info.st_size;
  if (edit_ && !edit_(entry)) return false;
  TRY(writer_.begin(entry).ctx("`%s`", path.c_str()));
  if (entry.type == TarEntry::Type::regular)
    TRY(add_contents(file.get(), static_cast<uint64_t>(entry.size)).ctx("`%s`", path.c_str()));
  TRY(writer_.end_entry());
  return true;
}

/// A file that shrinks while it is read is filled up with zeros, one that grows is cut: the archive stays one.
Status TreeArchiver::add_contents(int fd, uint64_t size) {
  static thread_local const auto buffer = std::make_unique_for_overwrite<char[]>(kPiece);
  uint64_t at = 0;
  while (at < size) {
    // Holes are not read.
    const off_t data = lseek(fd, static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;
    if (data > static_cast<off_t>(at)) {
      const uint64_t hole = std::min(static_cast<uint64_t>(data), size) - at;
      TRY(writer_.zeros(hole));
      at += hole;
      continue;
    }
    const ssize_t got =
        pread(fd, buffer.get(), std::min<uint64_t>(kPiece, size - at), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::sys(errno, "read");
    if (got == 0) break;
    TRY(writer_.data({buffer.get(), static_cast<size_t>(got)}));
    at += static_cast<uint64_t>(got);
  }
  return {};  // end_entry() fills up
}

Status TreeArchiver::add_whiteout(const std::string& path, const timespec& mtime) {
  const size_t name = path.rfind('/') + 1;  // npos + 1 is 0
  TarEntry entry;
  entry.path = path.substr(0, name) + ".wh." + path.substr(name);
  entry.mtime = mtime;
  return writer_.file(entry, "");
}

}  // namespace slipway::oci
