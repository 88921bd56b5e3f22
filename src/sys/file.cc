#include "src/sys/file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace slipway::sys {

void fill_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    // The lowest free descriptor is this one.
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
}

Result<Fd> open_at(int dir, const char* path, int flags, mode_t mode) {
  Fd fd(openat(dir, path, flags | O_CLOEXEC, mode));
  if (!fd) return Error::sys(errno, "open `%s`", path);
  return fd;
}

Result<std::string> read_all(int fd, size_t limit) {
  std::string text;
  struct stat info = {};
  // /proc and cgroup files say 0; regular ones are read in one go.
  size_t room = fstat(fd, &info) == 0 && info.st_size > 0 ? static_cast<size_t>(info.st_size) + 1 : 4096;
  size_t size = 0;
  for (;;) {
    if (room > limit + 1) room = limit + 1;
    text.resize(room);
    const ssize_t got = read(fd, text.data() + size, room - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::sys(errno, "read");
    if (got == 0) break;
    size += static_cast<size_t>(got);
    if (size > limit) return Error::of(ErrorKind::invalid, "larger than %zu bytes", limit);
    // A regular file gives less than was asked for only at its end.
    if (size < room && S_ISREG(info.st_mode) && info.st_size > 0) break;
    if (size == room) room *= 2;
  }
  text.resize(size);
  return text;
}

Result<std::string> read_file_at(int dir, const char* path, size_t limit) {
  const Fd fd = TRY(open_at(dir, path, O_RDONLY));
  return read_all(fd.get(), limit).ctx("`%s`", path);
}

Status write_all(int fd, std::string_view text) {
  do {
    const ssize_t put = write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Error::sys(errno, "write");
    text.remove_prefix(static_cast<size_t>(put));
  } while (!text.empty());
  return {};
}

Status write_file_at(int dir, const char* path, std::string_view text) {
  const Fd fd = TRY(open_at(dir, path, O_WRONLY));
  return write_all(fd.get(), text).ctx("`%s`", path);
}

Status write_new_file_at(int dir, const char* path, std::string_view text, mode_t mode) {
  const Fd fd = TRY(open_at(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
  return write_all(fd.get(), text).ctx("`%s`", path);
}

Status replace_file_at(int dir, const char* path, std::string_view text, mode_t mode, bool sync) {
  std::string temporary = path;
  const size_t name = temporary.rfind('/') + 1;  // npos + 1 is 0
  char suffix[24];
  snprintf(suffix, sizeof suffix, ".%d.tmp", static_cast<int>(getpid()));
  temporary = temporary.substr(0, name) + "." + temporary.substr(name) + suffix;
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  Result<Fd> opened = open_at(dir, temporary.c_str(), kFlags, mode);
  if (!opened.ok() && opened.error().code() == EEXIST) {
    unlinkat(dir, temporary.c_str(), 0);  // of a process that had our number, and was killed
    opened = open_at(dir, temporary.c_str(), kFlags, mode);
  }
  const Fd fd = TRY(std::move(opened));
  Status written = write_all(fd.get(), text).ctx("`%s`", path);
  if (written.ok() && sync && fdatasync(fd.get()) < 0) written = Error::sys(errno, "fdatasync `%s`", path);
  if (written.ok() && renameat(dir, temporary.c_str(), dir, path) < 0)
    written = Error::sys(errno, "rename `%s`", path);
  if (!written.ok()) {
    unlinkat(dir, temporary.c_str(), 0);
    return written;
  }
  if (!sync) return {};
  const std::string parent = name ? std::string(path, name) : ".";
  const Fd directory = TRY(open_at(dir, parent.c_str(), O_RDONLY | O_DIRECTORY));
  if (fsync(directory.get()) < 0) return Error::sys(errno, "fsync `%s`", parent.c_str());
  return {};
}

void spread_directories(int dir) {
  int flags = 0;
  if (ioctl(dir, FS_IOC_GETFLAGS, &flags) < 0) return;
  flags |= FS_TOPDIR_FL;
  (void)ioctl(dir, FS_IOC_SETFLAGS, &flags);
}

Status make_directories(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  if (errno != ENOENT) return Error::sys(errno, "mkdir `%s`", path.c_str());
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (mkdir(part.c_str(), mode) < 0 && errno != EEXIST)
      return Error::sys(errno, "mkdir `%s`", part.c_str());
  }
  if (mkdir(path.c_str(), mode) < 0 && errno != EEXIST) return Error::sys(errno, "mkdir `%s`", path.c_str());
  return {};
}

}  // namespace slipway::sys
