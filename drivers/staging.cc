#include "drivers/staging.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "src/base/fault.h"
#include "src/sys/directory.h"
#include "src/sys/file.h"
#include "src/sys/remove_tree.h"

namespace slipway::drivers {

Result<Staging> Staging::open(int home) {
  Staging staging;
  const bool made = mkdirat(home, "tmp", 0700) == 0;
  if (!made && errno != EEXIST) return Error::sys(errno, "mkdir `tmp`");
  staging.tmp_ = TRY(sys::open_at(home, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (made) sys::spread_directories(staging.tmp_.get());
  return staging;
}

// Makers hold a shared lock on tmp/ itself between mkdir and the lock on the new directory, so that
// recover(), which holds it alone, never sees a new directory that is not locked yet.
Result<Fd> Staging::lock(int operation) const {
  Fd fd = TRY(sys::open_at(tmp_.get(), ".", O_RDONLY | O_DIRECTORY));
  while (flock(fd.get(), operation) < 0)
    if (errno != EINTR) return Error::sys(errno, "lock `tmp`");
  return fd;
}

Result<StagedDir> Staging::make(mode_t mode) const {
  const Fd guard = TRY(lock(LOCK_SH));
  StagedDir made;
  made.name = random_name();
  if (mkdirat(tmp_.get(), made.name.c_str(), mode) < 0)
    return Error::sys(errno, "mkdir `tmp/%s`", made.name.c_str());
  made.dir = TRY(sys::open_at(tmp_.get(), made.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (flock(made.dir.get(), LOCK_EX) < 0) return Error::sys(errno, "lock `tmp/%s`", made.name.c_str());
  if (fchmod(made.dir.get(), mode) < 0)  // whatever the umask said
    return Error::sys(errno, "chmod `tmp/%s`", made.name.c_str());
  fault_point("staging.make");
  return made;
}

Result<std::string> Staging::take(int from, const char* name) const {
  std::string place = random_name();
  if (renameat(from, name, tmp_.get(), place.c_str()) < 0) {
    if (errno == ENOENT) return Error::of(ErrorKind::not_found, "no layer `%s`", name);
    return Error::sys(errno, "move `%s` to `tmp`", name);
  }
  fault_point("staging.take");
  return place;
}

Status Staging::remove(const std::string& name) const {
  return sys::remove_tree(tmp_.get(), name.c_str());
}

Result<unsigned> Staging::recover(const std::function<Status(int, const char*)>& undo) const {
  std::vector<std::string> dead;
  {
    const Fd guard = TRY(lock(LOCK_EX));
    for (std::string& name : TRY(names_in(tmp_.get(), "."))) {
      const Fd entry(openat(tmp_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
      if (!entry && errno == ENOENT) continue;
      if (entry && flock(entry.get(), LOCK_EX | LOCK_NB) < 0) continue;
      dead.push_back(std::move(name));
    }
  }
  // Several processes may be here with the same names; all that follows can be done twice at once.
  for (const std::string& name : dead) {
    TRY(undo(tmp_.get(), name.c_str()));
    TRY(remove(name));
  }
  return static_cast<unsigned>(dead.size());
}

Status check_layer_name(std::string_view id) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  bool good = !id.empty() && id.size() <= 128 && letter(id[0]);
  for (const char c : id) good = good && (letter(c) || c == '_' || c == '.' || c == '-');
  if (!good)
    return Error::of(ErrorKind::invalid, "`%.*s` is not a layer's name", static_cast<int>(id.size()),
                     id.data());
  return {};
}

std::string random_name() {
  static constexpr char kDigits[] = "abcdefghijklmnopqrstuvwxyz234567";
  unsigned char bytes[26] = {};
  // Up to 256 bytes are never cut short once the pool is there.
  while (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
  }
  std::string name(sizeof bytes, 'a');
  for (size_t i = 0; i < sizeof bytes; ++i) name[i] = kDigits[bytes[i] & 31];
  return name;
}

Result<std::vector<std::string>> names_in(int dir, const char* path) {
  const Fd fd = TRY(sys::open_at(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  sys::DirectoryReader reader(fd.get());
  std::vector<std::string> names;
  while (const dirent64* at = reader.next()) names.emplace_back(at->d_name);
  if (reader.error() != 0) return Error::sys(reader.error(), "read directory `%s`", path);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace slipway::drivers
