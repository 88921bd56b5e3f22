#include "src/store/removal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "src/store/id.h"
#include "src/sys/remove_tree.h"

namespace slipway::store {

namespace {

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};
using Directory = std::unique_ptr<DIR, CloseDir>;

Result<Directory> open_directory(int dir, const char* path) {
  const int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return Error::sys(errno, "open `%s`", path);
  return Directory(fdopendir(fd));
}

/// Removes a link that points to the container, and no other.
void drop_claim(const Store& store, const std::string& link, std::string_view id) {
  if (read_link(store.root_fd(), link.c_str()) == id) unlinkat(store.root_fd(), link.c_str(), 0);
}

}  // namespace

std::string read_link(int dir, const char* path) {
  char target[PATH_MAX];
  const ssize_t length = readlinkat(dir, path, target, sizeof target);
  return length < 0 ? std::string() : std::string(target, static_cast<size_t>(length));
}

Result<std::vector<std::string>> list_directory(int dir, const char* path) {
  const Directory directory = TRY(open_directory(dir, path));
  std::vector<std::string> names;
  while (const dirent* entry = readdir(directory.get()))
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  return names;
}

Status discard_pending(Store& store, std::string_view id, const Fd& locked_dir) {
  // The layer first: while it is there, the directory must be, or nobody would know about it.
  drivers::Driver* driver = TRY(store.driver());
  TRY(driver->remove(id).ctx("remove the layer of container `%.12s`", std::string(id).c_str()));
  const std::string name = read_link(locked_dir.get(), "name");
  if (!name.empty()) drop_claim(store, "names/" + name, id);
  drop_claim(store, "ids/" + std::string(short_id(id)), id);
  return sys::remove_tree(store.root_fd(), ("pending/" + std::string(id)).c_str());
}

}  // namespace slipway::store
