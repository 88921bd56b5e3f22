// The container's terminal. It comes from the devpts of the container, whose ptmx is looked at before it is
// used; the other end comes from the kernel by TIOCGPTPEER and never by a path (CVE-2025-52565).
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "src/base/fd.h"
#include "src/runtime/child_tree.h"
#include "src/runtime/rootfs.h"
#include "src/sys/kernel.h"
#include "src/sys/path_walk.h"

namespace slipway::runtime::child {
namespace {

// An Outcome keeps the address.
constexpr char kPtmx[] = "/dev/pts/ptmx";
constexpr char kConsole[] = "/dev/console";

Outcome open_master(Fd& master) {
  master = Fd(sys::walk_in_root(AT_FDCWD, kPtmx, O_RDWR | O_NOCTTY, sys::kWalkNoSymlinks));
  if (!master) return failed("open", kPtmx);
  struct statfs file_system = {};
  struct stat info = {};
  if (fstatfs(master.get(), &file_system) < 0 || fstat(master.get(), &info) < 0) return failed("stat", kPtmx);
  if (file_system.f_type != DEVPTS_SUPER_MAGIC || !S_ISCHR(info.st_mode) || info.st_rdev != makedev(5, 2))
    return refused("open", kPtmx, "it is not the ptmx of a devpts");
  int locked = 0;
  if (ioctl(master.get(), TIOCSPTLCK, &locked) < 0) return failed("unlock", kPtmx);
  return kDone;
}

/// Binds the terminal over /dev/console, which is made when it is missing and is never followed.
Outcome bind_console(int slave) {
  const Fd dev(open_dev(AT_FDCWD));
  if (!dev) return failed("open", "/dev");
  if (mknodat(dev.get(), "console", S_IFREG | 0600, 0) < 0 && errno != EEXIST)
    return failed("create", kConsole);
  const Fd where(openat(dev.get(), "console", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info = {};
  if (!where || fstat(where.get(), &info) < 0) return failed("open", kConsole);
  if (!S_ISREG(info.st_mode) && !S_ISCHR(info.st_mode))
    return refused("bind the terminal on", kConsole, "it is neither a file nor a device");
  const Fd tree(sys::open_tree(slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
  if (tree) {
    if (sys::move_mount(tree.get(), "", where.get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) <
        0)
      return failed("bind the terminal on", kConsole);
    return kDone;
  }
  if (errno != ENOSYS ||
      sys::mount(FdPath(slave).text, FdPath(where.get()).text, nullptr, MS_BIND, nullptr) < 0)
    return failed("bind the terminal on", kConsole);
  return kDone;
}

Outcome open_pair(uint16_t rows, uint16_t columns, Fd& master, Fd& slave) {
  STEP(open_master(master));
  slave = Fd(ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave) return failed("open the other end of the terminal");
  if (!rows && !columns) return kDone;
  winsize size = {};
  size.ws_row = rows;
  size.ws_col = columns;
  return ioctl(master.get(), TIOCSWINSZ, &size) < 0 ? failed("set the size of the terminal") : kDone;
}

Outcome attach(int slave) {
  if (ioctl(slave, TIOCSCTTY, 0) < 0) return failed("take the terminal as controlling terminal");
  for (int fd = 0; fd < 3; ++fd)
    if (dup2(slave, fd) < 0) return failed("make the terminal stdio");
  return kDone;
}

}  // namespace

Outcome open_terminal(const RootfsPlan& plan, int* master) {
  Fd opened;
  Fd slave;
  STEP(open_pair(plan.console_height, plan.console_width, opened, slave));
  STEP(bind_console(slave.get()));
  STEP(attach(slave.get()));
  *master = opened.release();
  return kDone;
}

Outcome open_exec_terminal(uint16_t rows, uint16_t columns, int* master) {
  Fd opened;
  Fd slave;
  STEP(open_pair(rows, columns, opened, slave));
  STEP(attach(slave.get()));
  *master = opened.release();
  return kDone;
}

}  // namespace slipway::runtime::child
