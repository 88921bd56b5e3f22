#include "src/runtime/cgroup_control.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "src/sys/file.h"

namespace slipway::runtime {
namespace {

constexpr size_t kFileLimit = 4 * 1024 * 1024;

}  // namespace

Result<ControlDirectory> ControlDirectory::open(const std::string& path) {
  ControlDirectory directory;
  directory.fd_ = TRY(sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY));
  directory.version_ = sys::cgroup_version(directory.fd_.get());
  if (directory.version_ == sys::CgroupVersion::none)
    return Error::of(ErrorKind::invalid, "`%s` is not on a cgroup file system", path.c_str());
  directory.path_ = path;
  return directory;
}

bool ControlDirectory::has(const char* file) const {
  return faccessat(fd_.get(), file, F_OK, 0) == 0;
}

Result<std::string> ControlDirectory::read(const char* file) const {
  return sys::read_file_at(fd_.get(), file, kFileLimit).ctx("cgroup `%s`", path_.c_str());
}

Status ControlDirectory::write(const char* file, std::string_view value) const {
  const Fd fd(openat(fd_.get(), file, O_WRONLY | O_CLOEXEC));
  if (!fd) return Error::sys(errno, "open `%s/%s`", path_.c_str(), file);
  if (::write(fd.get(), value.data(), value.size()) < 0)
    return Error::sys(errno, "write `%.*s` to `%s/%s`", static_cast<int>(value.size()), value.data(),
                      path_.c_str(), file);
  return {};
}

Status ControlDirectory::set(const char* property, const char* file, std::string_view value) const {
  Status done = write(file, value);
  if (done.ok()) return done;
  // Not the errno's text: engines take "No such file or directory" for a missing program.
  if (done.error().code() == ENOENT)
    return Error::of(ErrorKind::unsupported,
                     "%s: `%s/%s` is missing: the controller is not enabled here, or not in this kernel",
                     property, path_.c_str(), file);
  return std::move(done).ctx("%s", property);
}

uint64_t flat_keyed(std::string_view text, std::string_view key, uint64_t fallback) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.size() <= key.size() || line[key.size()] != ' ' || !line.starts_with(key)) continue;
    uint64_t value = 0;
    const std::string_view number = line.substr(key.size() + 1);
    if (std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc()) return value;
    return fallback;
  }
  return fallback;
}

}  // namespace slipway::runtime
