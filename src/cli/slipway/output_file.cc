#include "src/cli/slipway/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "src/sys/file.h"

namespace slipway::cli {

OutputFile::OutputFile(OutputFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, std::string())) {}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

Result<OutputFile> OutputFile::open(const char* path, const char* verb) {
  OutputFile file;
  if (!path) {
    if (isatty(STDOUT_FILENO))
      return Error::of(ErrorKind::invalid,
                       "cowardly refusing to %s to a terminal. Use the -o flag or redirect", verb);
    file.fd_ = Fd(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!file.fd_) return Error::sys(errno, "standard output");
    return file;
  }
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
    file.fd_ = TRY(sys::open_at(AT_FDCWD, path, O_WRONLY));
    return file;
  }
  file.path_ = path;
  const std::string temporary = file.path_ + "." + std::to_string(getpid()) + ".tmp";
  file.fd_ = Fd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.fd_) return Error::sys(errno, "open `%s`", path);
  file.temporary_ = temporary;
  return file;
}

Status OutputFile::publish() {
  if (temporary_.empty()) return {};
  if (rename(temporary_.c_str(), path_.c_str()) < 0)
    return Error::sys(errno, "rename to `%s`", path_.c_str());
  temporary_.clear();
  return {};
}

}  // namespace slipway::cli
