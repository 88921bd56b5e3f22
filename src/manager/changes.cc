#include "src/manager/changes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>

#include "src/store/removal.h"
#include "src/sys/path.h"

namespace slipway::manager {

namespace {

using drivers::Change;
using drivers::ChangeKind;

constexpr std::string_view kCovered[] = {
    "/dev",  "/dev/pts",   "/dev/shm",       "/dev/mqueue",       "/dev/console",  //
    "/etc",  "/etc/hosts", "/etc/hostname",  "/etc/resolv.conf",                   //
    "/proc", "/sys",       "/sys/fs/cgroup", "/sbin/docker-init", "/.dockerenv"};

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

/// The directories above a path, from the nearest up.
template <class Visit>
void for_parents(std::string_view path, Visit visit) {
  while (path.size() > 1) {
    path = path.substr(0, std::max<size_t>(path.rfind('/'), 1));
    visit(path);
  }
}

}  // namespace

Result<std::vector<Change>> container_changes(store::Store& store, const store::Record& record) {
  drivers::Driver* driver = TRY(store.driver());
  std::vector<Change> changes = TRY(driver->changes(record.id));
  const Fd layer = TRY(driver->contents(record.id));
  // From the deepest up: a directory that holds nothing but hidden places is empty, too.
  std::unordered_set<std::string_view> holds_hidden, holds_kept;
  std::vector<Change> kept;
  for (size_t i = changes.size(); i-- > 0;) {
    const Change& change = changes[i];
    const bool only_hidden = holds_hidden.contains(change.path) && !holds_kept.contains(change.path);
    const bool place = change.kind == ChangeKind::added && is_covered(record, change.path) &&
                       (only_hidden || is_empty(layer.get(), change.path));
    const bool hide = place || (change.kind == ChangeKind::modified && only_hidden);
    if (!hide) kept.push_back(change);
    for_parents(change.path,
                [&](std::string_view parent) { (hide ? holds_hidden : holds_kept).insert(parent); });
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

}  // namespace slipway::manager
