#include "src/store/store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "src/store/id.h"
#include "src/store/lock.h"
#include "src/sys/file.h"

namespace slipway::store {

namespace {

// The last one to be made: where it exists, so do the others.
constexpr const char* kRooms[] = {"containers", "names", "ids", "volumes", "locks", "pending"};
constexpr const char* kRunRooms[] = {"runtime", "monitors"};

/// Opens a directory of the store, and makes it and its rooms when they are not there.
template <size_t N>
Result<Fd> open_rooms(const std::string& path, const char* const (&rooms)[N], mode_t mode) {
  Fd dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir && faccessat(dir.get(), rooms[N - 1], F_OK, 0) == 0) return dir;
  TRY(sys::make_directories(path, mode));
  dir = TRY(sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY));
  sys::spread_directories(dir.get());
  for (const char* room : rooms) {
    if (mkdirat(dir.get(), room, 0700) < 0 && errno != EEXIST)
      return Error::sys(errno, "mkdir `%s/%s`", path.c_str(), room);
    sys::spread_directories(TRY(sys::open_at(dir.get(), room, O_RDONLY | O_DIRECTORY)).get());
  }
  return dir;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(StoreOptions options) {
  std::unique_ptr<Store> store(new Store(std::move(options)));
  // Users inside user namespaces must be able to pass through to their own volumes and root file systems.
  store->root_ = TRY(open_rooms(store->root(), kRooms, 0711));
  store->run_ = TRY(open_rooms(store->run_root(), kRunRooms, 0711));
  return store;
}

Result<std::string> Store::id() const {
  const Fd lock = TRY(lock_file(root_.get(), "locks/store-id", LockMode::exclusive));
  auto known = sys::read_file_at(root_.get(), "store-id", 64);
  if (known.ok() || known.error().kind() != ErrorKind::not_found) return known;
  const std::string hex = TRY(new_id());
  // RFC 4122: version 4, and the variant.
  const std::string uuid = hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-4" + hex.substr(13, 3) + "-a" +
                           hex.substr(17, 3) + "-" + hex.substr(20, 12);
  TRY(sys::replace_file_at(root_.get(), "store-id", uuid, 0600, true));
  return uuid;
}

}  // namespace slipway::store
