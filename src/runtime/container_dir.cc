#include "src/runtime/container_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "src/runtime/state_file.h"
#include "src/sys/file.h"

namespace slipway::runtime {

namespace {

/// Sockets, and temporary files of a process that was killed; and the directory of the notify socket.
void remove_entries(int directory) {
  DIR* const entries = fdopendir(fcntl(directory, F_DUPFD_CLOEXEC, 3));
  if (!entries) return;
  rewinddir(entries);
  while (const dirent* entry = readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || unlinkat(directory, entry->d_name, 0) == 0) continue;
    const Fd inner(openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!inner) continue;
    remove_entries(inner.get());
    unlinkat(directory, entry->d_name, AT_REMOVEDIR);
  }
  closedir(entries);
}

}  // namespace

Status check_container_is_new(const Context& context, std::string_view id) {
  const std::string path = context.root + "/" + std::string(id);
  if (faccessat(AT_FDCWD, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) return {};
  return Error::of(ErrorKind::exists, "container with given ID already exists: `%.*s`",
                   static_cast<int>(id.size()), id.data());
}

Result<Fd> make_container_directory(const Context& context, std::string_view id) {
  const std::string path = context.root + "/" + std::string(id);
  if (mkdir(path.c_str(), 0711) < 0) {
    if (errno == EEXIST) return check_container_is_new(context, id).error();
    return Error::sys(errno, "mkdir `%s`", path.c_str());
  }
  return sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

Status remove_container_directory(const Context& context, std::string_view id) {
  const std::string path = context.root + "/" + std::string(id);
  const Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory && errno == ENOENT) return {};
  if (!directory) return Error::sys(errno, "open `%s`", path.c_str());
  // state.json first: without it this is no container.
  for (const char* name : {kStateFile, kConfigFile, kStartFifo, kResultFifo})
    if (unlinkat(directory.get(), name, 0) < 0 && errno != ENOENT)
      return Error::sys(errno, "remove `%s/%s`", path.c_str(), name);
  if (rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
  if (errno == ENOTEMPTY) {
    remove_entries(directory.get());
    if (rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
  }
  return Error::sys(errno, "rmdir `%s`", path.c_str());
}

Status remove_stateless_directory(const Context& context, std::string_view id) {
  const std::string state = context.root + "/" + std::string(id) + "/" + kStateFile;
  if (access(state.c_str(), F_OK) == 0 || errno != ENOENT) return {};
  return remove_container_directory(context, id);
}

}  // namespace slipway::runtime
