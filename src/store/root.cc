#include "src/store/root.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "src/sys/file.h"

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

}  // namespace slipway::store
