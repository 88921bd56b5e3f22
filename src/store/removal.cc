#include "src/store/removal.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "src/store/id.h"
#include "src/sys/directory.h"
#include "src/sys/remove_tree.h"

namespace slipway::store {

namespace {

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
  const Fd directory(openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return Error::sys(errno, "open `%s`", path);
  sys::DirectoryReader reader(directory.get());
  std::vector<std::string> names;
  while (const dirent64* entry = reader.next())
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  if (reader.error() != 0) return Error::sys(reader.error(), "read `%s`", path);
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
