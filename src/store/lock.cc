#include "src/store/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "src/sys/file.h"

namespace slipway::store {

namespace {

Status wait_for(const Fd& fd, const char* path, LockMode mode) {
  while (flock(fd.get(), mode == LockMode::exclusive ? LOCK_EX : LOCK_SH) < 0)
    if (errno != EINTR) return Error::sys(errno, "lock `%s`", path);
  return {};
}

}  // namespace

Result<Fd> lock_directory(int dir, const char* path, LockMode mode) {
  Fd fd = TRY(sys::open_at(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(wait_for(fd, path, mode));
  return fd;
}

Result<std::optional<Fd>> try_lock_directory(int dir, const char* path, LockMode mode) {
  Fd fd = TRY(sys::open_at(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (flock(fd.get(), (mode == LockMode::exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
    return std::optional<Fd>(std::move(fd));
  if (errno == EWOULDBLOCK) return std::optional<Fd>();
  return Error::sys(errno, "lock `%s`", path);
}

Result<Fd> lock_file(int dir, const char* path, LockMode mode) {
  Fd fd = TRY(sys::open_at(dir, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  TRY(wait_for(fd, path, mode));
  return fd;
}

bool still_named(const Fd& lock, int dir, const char* path) {
  struct stat mine = {};
  struct stat named = {};
  return fstat(lock.get(), &mine) == 0 && fstatat(dir, path, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

}  // namespace slipway::store
