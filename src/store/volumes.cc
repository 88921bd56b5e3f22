#include "src/store/volumes.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/store/lock.h"
#include "src/store/removal.h"
#include "src/sys/file.h"
#include "src/sys/remove_tree.h"

JSON_OBJECT(slipway::store::Volume, JSON_FIELD(slipway::store::Volume, created_at, "CreatedAt"),
            JSON_FIELD(slipway::store::Volume, labels, "Labels"),
            JSON_FIELD(slipway::store::Volume, options, "Options"),
            JSON_FIELD(slipway::store::Volume, anonymous, "Anonymous"),
            JSON_FIELD(slipway::store::Volume, copied, "Copied"));

namespace slipway::store {

const json::Type kVolumeType = json::type<Volume>;

namespace {

Error no_such(std::string_view name) {
  return Error::of(ErrorKind::not_found, "No such volume: %.*s", static_cast<int>(name.size()), name.data());
}

Status make_directory(int dir, const std::string& path, mode_t mode) {
  if (mkdirat(dir, path.c_str(), mode) < 0 && errno != EEXIST)
    return Error::sys(errno, "mkdir `%s`", path.c_str());
  return {};
}

}  // namespace

bool is_volume_name(std::string_view name) {
  return is_container_name(name);
}

std::string Volumes::dir(std::string_view name) const {
  return "volumes/" + std::string(name);
}

std::string Volumes::data_path(std::string_view name) const {
  return store_.root() + "/" + dir(name) + "/_data";
}

bool Volumes::exists(std::string_view name) const {
  return is_volume_name(name) && faccessat(store_.root_fd(), dir(name).c_str(), F_OK, 0) == 0;
}

Result<bool> Volumes::create(const Volume& volume) {
  const std::string path = dir(volume.name);
  const int root = store_.root_fd();
  const bool made = mkdirat(root, path.c_str(), 0701) == 0;
  if (!made && errno != EEXIST) return Error::sys(errno, "mkdir `%s`", path.c_str());
  TRY(make_directory(root, path + "/_data", 0755));
  TRY(make_directory(root, path + "/users", 0700));
  if (!made && faccessat(root, (path + "/record.json").c_str(), F_OK, 0) == 0) return false;
  json::Writer writer;
  writer.value(kVolumeType, &volume);
  TRY(sys::replace_file_at(root, (path + "/record.json").c_str(), writer.text(), 0600, false));
  return made;
}

Result<Volume*> Volumes::load(std::string_view name, Arena& arena) {
  if (!exists(name)) return no_such(name);
  Volume* volume = nullptr;
  auto text = sys::read_file_at(store_.root_fd(), (dir(name) + "/record.json").c_str(), 1 << 20);
  if (text.ok()) {
    volume = TRY(json::read<Volume>(*text, kVolumeType, arena)
                     .ctx("record of volume `%s`", std::string(name).c_str()));
  } else if (text.error().kind() == ErrorKind::not_found) {
    volume = arena.make<Volume>();
  } else {
    return std::move(text).error();
  }
  volume->name = arena.copy(name);
  return volume;
}

Result<std::vector<std::string>> Volumes::list() {
  std::vector<std::string> names = TRY(list_directory(store_.root_fd(), "volumes"));
  std::sort(names.begin(), names.end());
  return names;
}

Status Volumes::claim(std::string_view name, std::string_view container) {
  // Shared, against a removal that has found no users and is about to begin.
  auto lock = lock_directory(store_.root_fd(), dir(name).c_str(), LockMode::shared);
  if (!lock.ok() || !still_named(*lock, store_.root_fd(), dir(name).c_str())) return no_such(name);
  TRY(make_directory(lock->get(), "users", 0700));
  const std::string file = "users/" + std::string(container);
  TRY(sys::open_at(lock->get(), file.c_str(), O_WRONLY | O_CREAT, 0600));
  return {};
}

Status Volumes::release(std::string_view name, std::string_view container) {
  const std::string file = dir(name) + "/users/" + std::string(container);
  if (unlinkat(store_.root_fd(), file.c_str(), 0) < 0 && errno != ENOENT)
    return Error::sys(errno, "release volume `%s`", std::string(name).c_str());
  return {};
}

Result<std::vector<std::string>> Volumes::users(std::string_view name) {
  std::vector<std::string> live;
  auto names = list_directory(store_.root_fd(), (dir(name) + "/users").c_str());
  if (!names.ok()) return live;
  for (const std::string& id : *names) {
    if (faccessat(store_.root_fd(), ("containers/" + id).c_str(), F_OK, 0) == 0) {
      live.push_back(id);
      continue;
    }
    // One that is being made has its directory locked.
    auto lock = try_lock_directory(store_.root_fd(), ("pending/" + id).c_str(), LockMode::shared);
    if (lock.ok() && !lock->has_value()) live.push_back(id);
  }
  return live;
}

Status Volumes::remove(std::string_view name) {
  if (!exists(name)) return no_such(name);
  const Fd lock = TRY(lock_directory(store_.root_fd(), dir(name).c_str(), LockMode::exclusive));
  const std::vector<std::string> holders = TRY(users(name));
  if (!holders.empty()) {
    std::string ids;
    for (const std::string& id : holders) ids.append(ids.empty() ? "" : ", ").append(id);
    return Error::of(ErrorKind::in_use, "remove %.*s: volume is in use - [%s]", static_cast<int>(name.size()),
                     name.data(), ids.c_str());
  }
  // A name with a dot is no volume: what a crash leaves of it is removed with the next one.
  const std::string doomed = "volumes/." + std::string(name);
  TRY(sys::remove_tree(store_.root_fd(), doomed.c_str()));
  if (renameat(store_.root_fd(), dir(name).c_str(), store_.root_fd(), doomed.c_str()) < 0)
    return Error::sys(errno, "remove volume `%s`", std::string(name).c_str());
  return sys::remove_tree(store_.root_fd(), doomed.c_str());
}

}  // namespace slipway::store
