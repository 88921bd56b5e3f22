#include "src/store/root.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <ctime>

#include "src/sys/directory.h"
#include "src/sys/file.h"
#include "src/sys/remove_tree.h"

namespace slipway::store {

namespace {

Result<Lock> take(const Root& root, int locks, const std::string& name, Root::Mode mode, bool wait) {
  Fd file = TRY(sys::open_at(locks, name.c_str(), O_RDWR | O_CREAT, 0600).ctx("%s", root.path().c_str()));
  const int operation = (mode == Root::Mode::shared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB);
  while (flock(file.get(), operation) < 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK && !wait) return Lock();
    return Error::sys(errno, "lock `%s/locks/%s`", root.path().c_str(), name.c_str());
  }
  return Lock(std::move(file));
}

}  // namespace

Result<Root> Root::open(const std::string& path) {
  TRY(sys::make_directories(path, 0711));
  Root root;
  root.path_ = path;
  root.dir_ = TRY(sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY));
  root.locks_ = TRY(root.room("locks"));
  return root;
}

Result<Fd> Root::room(const char* name) const {
  Fd room(openat(dir_.get(), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (room) return room;
  if (errno != ENOENT) return Error::sys(errno, "open `%s/%s`", path_.c_str(), name);
  // Nobody but the owner may reach the files of layers, setuid ones above all (CVE-2021-41091).
  if (mkdirat(dir_.get(), name, 0700) < 0 && errno != EEXIST)
    return Error::sys(errno, "mkdir `%s/%s`", path_.c_str(), name);
  return sys::open_at(dir_.get(), name, O_RDONLY | O_DIRECTORY).ctx("%s", path_.c_str());
}

Result<Lock> Root::lock(const std::string& name, Mode mode) const {
  return take(*this, locks_.get(), name, mode, true);
}

Result<Lock> Root::try_lock(const std::string& name, Mode mode) const {
  return take(*this, locks_.get(), name, mode, false);
}

// --- staging -----------------------------------------------------------------------------------------------

Result<Staging> Staging::make(const Root& root, const char* purpose) {
  Staging staging;
  staging.tmp_ = TRY(root.room("tmp"));
  uint64_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) return Error::sys(errno, "getrandom");
  char suffix[20];
  snprintf(suffix, sizeof suffix, "-%016llx", static_cast<unsigned long long>(number));
  staging.name_ = purpose + std::string(suffix);
  staging.path_ = root.path() + "/tmp/" + staging.name_;
  if (mkdirat(staging.tmp_.get(), staging.name_.c_str(), 0700) < 0)
    return Error::sys(errno, "mkdir `%s`", staging.path_.c_str());
  staging.dir_ = TRY(sys::open_at(staging.tmp_.get(), staging.name_.c_str(), O_RDONLY | O_DIRECTORY));
  // The directory is its own lock. A sweeper that came between mkdir and here has removed it, which shows as
  // ENOENT in whoever uses it; it only takes directories that are some seconds old.
  if (flock(staging.dir_.get(), LOCK_EX | LOCK_NB) < 0)
    return Error::sys(errno, "lock `%s`", staging.path_.c_str());
  return staging;
}

Staging::~Staging() {
  if (dir_) (void)sys::remove_tree(tmp_.get(), name_.c_str());
}

Status sweep_staging(const Root& root) {
  constexpr time_t kYoung = 10;  // seconds
  const Fd tmp = TRY(root.room("tmp"));
  for (const sys::DirectoryEntry& entry : TRY(sys::list_directory(tmp.get()))) {
    const char* name = entry.name.c_str();
    const Fd dir(openat(tmp.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat info;
    if (!dir || fstat(dir.get(), &info) < 0 || time(nullptr) - info.st_mtime < kYoung) continue;
    if (flock(dir.get(), LOCK_EX | LOCK_NB) < 0) continue;
    TRY(sys::remove_tree(tmp.get(), name).ctx("%s/tmp", root.path().c_str()));
  }
  return {};
}

}  // namespace slipway::store
