#include "src/runtime/cgroup_control.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "src/sys/file.h"

namespace slipway::runtime {
namespace {

constexpr size_t kFileLimit = 4 * 1024 * 1024;

/// The line that begins with `key` and a space.
std::string_view line_of_key(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') return line;
  }
  return {};
}

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
  Result<std::string> before = std::string();
  if (journal_) before = read(file);
  Status done = write(file, value);
  if (done.ok()) {
    if (journal_ && before.ok()) journal_->remember(path_, file, undo_text(file, *before, value));
    return done;
  }
  // Not the errno's text: engines take "No such file or directory" for a missing program.
  if (done.error().code() == ENOENT)
    return Error::of(ErrorKind::unsupported,
                     "%s: `%s/%s` is missing: the controller is not enabled here, or not in this kernel",
                     property, path_.c_str(), file);
  return std::move(done).ctx("%s", property);
}

void ControlJournal::remember(std::string path, std::string file, std::string old) {
  entries_.push_back({std::move(path), std::move(file), std::move(old)});
}

void ControlJournal::undo() {
  for (; !entries_.empty(); entries_.pop_back()) {
    const Entry& entry = entries_.back();
    Result<ControlDirectory> directory = ControlDirectory::open(entry.path);
    if (!directory.ok()) continue;
    Status refused = directory->write(entry.file.c_str(), entry.old);
    (void)refused;
  }
}

std::string undo_text(std::string_view file, std::string_view current, std::string_view written) {
  if (file == "memory.oom_control") return std::to_string(flat_keyed(current, "oom_kill_disable", 0));
  const std::string_view first = current.substr(0, current.find('\n'));
  const size_t space = written.find(' ');
  const bool keyed = file == "io.max" || file == "rdma.max" || file == "net_prio.ifpriomap" ||
                     written.substr(0, space).find(':') != std::string_view::npos;
  if (!keyed || space == std::string_view::npos) return std::string(first);
  const std::string_view key = written.substr(0, space);
  const std::string_view line = line_of_key(current, key);
  if (!line.empty()) return std::string(line);
  // It had no line, that is, the default.
  std::string none(key);
  if (file == "io.max") return none + " rbps=max wbps=max riops=max wiops=max";
  if (file == "rdma.max") return none + " hca_handle=max hca_object=max";
  if (file == "io.weight") return none + " default";
  return none + " 0";
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
