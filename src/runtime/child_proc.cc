#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "src/runtime/child_steps.h"
#include "src/sys/kernel.h"

namespace slipway::runtime::child {

namespace {

/// The root of a procfs, not a directory further down and not something else that lies there.
bool is_proc_root(int fd) {
  struct statfs fs;
  struct stat info;
  return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC && fstat(fd, &info) == 0 && info.st_ino == 1;
}

int private_proc() {
  const int fs = sys::fsopen("proc", FSOPEN_CLOEXEC);
  if (fs < 0) return -1;
  int mount = -1;
  if (sys::fsconfig(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0)
    mount = sys::fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  close(fs);
  return mount;
}

}  // namespace

int open_proc() {
  // A procfs of its own shows nothing of what others have mounted over parts of theirs. A user namespace may
  // not make one where the host's is not fully visible; then the host's own is as good, if no mount is in the
  // way: write_proc() sees to that.
  int proc = private_proc();
  if (proc < 0) proc = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (proc >= 0 && !is_proc_root(proc)) {
    close(proc);
    proc = -1;
  }
  return proc;
}

Outcome write_proc(int proc, const char* path, const char* text, size_t size, const char* action) {
  const int fd = sys::openat2(proc, path, O_WRONLY | O_NOFOLLOW,
                              RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
  if (fd < 0) return failed(action, path, "/proc");
  const bool written = write(fd, text, size) == static_cast<ssize_t>(size);
  const Outcome outcome = written ? kDone : failed(action, path, "/proc");
  close(fd);
  return outcome;
}

}  // namespace slipway::runtime::child
