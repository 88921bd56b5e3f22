#include "src/sys/self_exe.h"

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <cerrno>
#include <climits>

#include "src/base/fd.h"
#include "src/sys/kernel.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U  // 6.3
#endif
#ifndef ST_RDONLY
#define ST_RDONLY 1
#endif

namespace slipway::sys {

namespace {

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

bool is_sealed_memfd(const char* path) {
  const Fd self(open(path, O_RDONLY | O_CLOEXEC));
  const int seals = self ? fcntl(self.get(), F_GET_SEALS) : -1;
  return seals != -1 && (seals & kSeals) == kSeals;
}

/// A read-only clone of the mount that holds the binary; no descriptor when the kernel refuses.
Fd read_only_view(const char* path) {
  // Only the one file: it becomes the root of the cloned mount.
  Fd view(open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  mount_attr read_only = {};
  read_only.attr_set = MOUNT_ATTR_RDONLY;
  if (!view || mount_setattr(view.get(), "", AT_EMPTY_PATH, read_only) != 0) return {};
  return view;
}

Result<Fd> sealed_copy(const char* path) {
  const Fd self(open(path, O_RDONLY | O_CLOEXEC));
  struct stat st;
  if (!self || fstat(self.get(), &st) != 0) return Error::sys(errno, "open `%s`", path);
  Fd copy(memfd_create("slip", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC));
  if (!copy && errno == EINVAL) copy = Fd(memfd_create("slip", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy) return Error::sys(errno, "make a memfd");
  for (off_t left = st.st_size; left > 0;) {
    const ssize_t n = sendfile(copy.get(), self.get(), nullptr, static_cast<size_t>(left));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Error::sys(n < 0 ? errno : EIO, "copy `%s`", path);
    left -= n;
  }
  if (fchmod(copy.get(), 0500) != 0 || fcntl(copy.get(), F_ADD_SEALS, kSeals) != 0)
    return Error::sys(errno, "seal a memfd");
  return copy;
}

/// Returns only on failure, with errno.
void execute(const Fd& program, char* const argv[], char* const envp[]) {
  syscall(SYS_execveat, program.get(), "", argv, envp, AT_EMPTY_PATH);
}

}  // namespace

Result<Fd> protected_program(const char* path) {
  struct statfs fs;
  if (statfs(path, &fs) != 0) return Error::sys(errno, "statfs `%s`", path);
  if (!(fs.f_flags & ST_RDONLY)) {
    if (Fd view = read_only_view(path)) return view;
    if (!is_sealed_memfd(path)) return sealed_copy(path);
  }
  Fd program(open(path, O_PATH | O_CLOEXEC));
  if (!program) return Error::sys(errno, "open `%s`", path);
  return program;
}

Status protect_self(char* const argv[], char* const envp[]) {
  struct statfs fs;
  if (statfs(kSelf, &fs) != 0) return Error::sys(errno, "statfs `%s`", kSelf);
  if (fs.f_flags & ST_RDONLY) return {};
  if (const Fd view = read_only_view(kSelf)) execute(view, argv, envp);
  if (is_sealed_memfd(kSelf)) return {};
  const Fd copy = TRY(sealed_copy(kSelf));
  execute(copy, argv, envp);
  return Error::sys(errno, "execute a sealed copy of `%s`", kSelf);
}

}  // namespace slipway::sys
