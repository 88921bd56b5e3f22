#include "src/manager/changes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "src/store/removal.h"
#include "src/sys/path.h"

namespace slipway::manager {

namespace {

using drivers::Change;
using drivers::ChangeKind;

constexpr std::string_view kCovered[] = {
    "/dev",         "/proc",      "/sys",          "/dev/pts",         "/dev/shm",       "/dev/mqueue",
    "/dev/console", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/sys/fs/cgroup", "/sbin/docker-init",
    "/.dockerenv"};

bool is_covered(const store::Record& record, std::string_view path) {
  if (std::find(std::begin(kCovered), std::end(kCovered), path) != std::end(kCovered)) return true;
  return std::any_of(record.mounts.begin(), record.mounts.end(),
                     [&](const store::MountPoint& mount) { return mount.destination == path; });
}

/// A place for a mount is empty; what a user has written there is not.
bool is_empty(int layer, const std::string& path) {
  auto file = sys::open_in_root(layer, path.c_str(), O_PATH | O_NOFOLLOW);
  struct stat info = {};
  if (!file.ok() || fstat(file->get(), &info) < 0) return false;
  if (S_ISREG(info.st_mode)) return info.st_size == 0;
  if (!S_ISDIR(info.st_mode)) return false;
  auto entries = store::list_directory(file->get(), ".");
  return entries.ok() && entries->empty();
}

bool is_below(std::string_view path, std::string_view directory) {
  return directory == "/"
             ? path.size() > 1
             : path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

}  // namespace

Result<std::vector<Change>> container_changes(store::Store& store, const store::Record& record) {
  drivers::Driver* driver = TRY(store.driver());
  std::vector<Change> changes = TRY(driver->changes(record.id));
  const Fd layer = TRY(driver->contents(record.id));
  std::vector<std::string> hidden;
  // From the deepest up: a directory that holds nothing but hidden places is empty, too.
  std::vector<Change> kept;
  for (size_t i = changes.size(); i-- > 0;) {
    const Change& change = changes[i];
    const bool has_kept = std::any_of(kept.begin(), kept.end(),
                                      [&](const Change& other) { return is_below(other.path, change.path); });
    const bool has_hidden = std::any_of(
        hidden.begin(), hidden.end(), [&](const std::string& other) { return is_below(other, change.path); });
    const bool place = change.kind == ChangeKind::added && is_covered(record, change.path) &&
                       (is_empty(layer.get(), change.path) || (has_hidden && !has_kept));
    const bool only_parent =
        change.kind != ChangeKind::deleted && has_hidden && !has_kept && change.kind == ChangeKind::modified;
    if (place || only_parent)
      hidden.push_back(change.path);
    else
      kept.push_back(change);
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

}  // namespace slipway::manager
