#include "src/store/work.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "src/sys/directory.h"
#include "src/sys/file.h"

namespace slipway::store {

namespace {

constexpr const char* kLock = "work";
constexpr const char* kRoom = "tmp";

}  // namespace

Result<Work> Work::begin(const Root& root) {
  Work work;
  // Before the mark: whoever has locked out work takes every mark for one of the dead.
  work.lock_ = TRY(root.lock(kLock, Root::Mode::shared));
  work.tmp_ = TRY(root.room(kRoom));
  uint64_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) return Error::sys(errno, "getrandom");
  char name[32];
  snprintf(name, sizeof name, "work-%016llx", static_cast<unsigned long long>(number));
  (void)TRY(sys::open_at(work.tmp_.get(), name, O_WRONLY | O_CREAT | O_EXCL, 0600).ctx("%s", kRoom));
  work.mark_ = name;
  return work;
}

Work::~Work() {
  if (tmp_ && !mark_.empty()) unlinkat(tmp_.get(), mark_.c_str(), 0);
}

Result<Lock> lock_out_work(const Root& root) {
  return root.lock(kLock, Root::Mode::exclusive);
}

Result<Lock> try_lock_out_work(const Root& root) {
  return root.try_lock(kLock, Root::Mode::exclusive);
}

Result<bool> work_is_marked(const Root& root) {
  const Fd tmp = TRY(root.room(kRoom));
  return !TRY(sys::list_directory(tmp.get())).empty();
}

Status leave_mark(const Root& root) {
  const Fd tmp = TRY(root.room(kRoom));
  TRY(sys::open_at(tmp.get(), "work-needless", O_WRONLY | O_CREAT, 0600).ctx("%s", kRoom));
  return {};
}

Status forget_marks(const Root& root) {
  const Fd tmp = TRY(root.room(kRoom));
  for (const sys::DirectoryEntry& entry : TRY(sys::list_directory(tmp.get())))
    if (unlinkat(tmp.get(), entry.name.c_str(), 0) < 0 && errno != ENOENT)
      return Error::sys(errno, "remove `%s/%s/%s`", root.path().c_str(), kRoom, entry.name.c_str());
  return {};
}

}  // namespace slipway::store
