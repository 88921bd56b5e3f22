// tmpcopyup: a tmpfs begins with what it covers. The copy goes down by descriptors and never follows a link,
// so it cannot leave the tree; what it cannot represent (sockets) is left out.
#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstring>

#include "src/base/fd.h"
#include "src/runtime/child_tree.h"

namespace slipway::runtime::child {
namespace {

constexpr int kMaxDepth = 64;

struct Entry64 {  // linux_dirent64
  uint64_t inode;
  int64_t offset;
  uint16_t size;
  uint8_t type;
  char name[1];
};

int copy_data(int from, int to) {
  for (;;) {
    const ssize_t sent = sendfile(to, from, nullptr, 1 << 30);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return static_cast<int>(sent);
  }
}

int copy_file(int from, int to, const char* name, const struct stat& info) {
  const Fd source(openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  const Fd target(openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!source || !target || copy_data(source.get(), target.get()) < 0) return -1;
  if (fchown(target.get(), info.st_uid, info.st_gid) < 0 || fchmod(target.get(), info.st_mode & 07777) < 0)
    return -1;
  const timespec times[2] = {info.st_atim, info.st_mtim};
  return futimens(target.get(), times);
}

int copy_link(int from, int to, const char* name, const struct stat& info) {
  char text[PATH_MAX];
  const ssize_t size = readlinkat(from, name, text, sizeof text - 1);
  if (size < 0) return -1;
  text[size] = '\0';
  if (symlinkat(text, to, name) < 0) return -1;
  return fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW);
}

int copy_node(int to, const char* name, const struct stat& info) {
  if (mknodat(to, name, info.st_mode, info.st_rdev) < 0)
    return errno == EPERM ? 0 : -1;  // devices in a user namespace
  return fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW);
}

int copy_directory(int from, int to, int depth);

int copy_subdirectory(int from, int to, const char* name, const struct stat& info, int depth) {
  if (depth == kMaxDepth) {
    errno = ELOOP;
    return -1;
  }
  if (mkdirat(to, name, 0700) < 0) return -1;
  const Fd source(openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const Fd target(openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!source || !target || copy_directory(source.get(), target.get(), depth + 1) < 0) return -1;
  if (fchown(target.get(), info.st_uid, info.st_gid) < 0 || fchmod(target.get(), info.st_mode & 07777) < 0)
    return -1;
  const timespec times[2] = {info.st_atim, info.st_mtim};
  return futimens(target.get(), times);
}

int copy_entry(int from, int to, const char* name, int depth) {
  struct stat info = {};
  if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) < 0) return -1;
  switch (info.st_mode & S_IFMT) {
    case S_IFREG:
      return copy_file(from, to, name, info);
    case S_IFDIR:
      return copy_subdirectory(from, to, name, info, depth);
    case S_IFLNK:
      return copy_link(from, to, name, info);
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
      return copy_node(to, name, info);
    default:
      return 0;
  }
}

int copy_directory(int from, int to, int depth) {
  alignas(Entry64) char buffer[2048];
  for (;;) {
    const long size = syscall(SYS_getdents64, from, buffer, sizeof buffer);
    if (size <= 0) return static_cast<int>(size);
    for (long at = 0; at < size;) {
      const Entry64* const entry = reinterpret_cast<const Entry64*>(buffer + at);
      const char* const name = buffer + at + offsetof(Entry64, name);
      at += entry->size;
      if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
      if (copy_entry(from, to, name, depth) < 0) return -1;
    }
  }
}

}  // namespace

Outcome copy_tree(int from, int to, const char* place) {
  // The descriptors are O_PATH.
  const Fd source(openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat info = {};
  if (!source || fstat(source.get(), &info) < 0 || copy_directory(source.get(), to, 0) < 0 ||
      fchownat(to, ".", info.st_uid, info.st_gid, 0) < 0)
    return failed("tmpcopyup", place);
  return kDone;
}

}  // namespace slipway::runtime::child
