// A verb that puts the binary inside a container executes it a second time, through a view that nobody can write
// (see src/sys/self_exe.h). Most of what an execution costs is libc's start: relocations, and dozens of CPUID
// instructions, each of which leaves a virtual machine (0.3 ms of 0.5 in all). The first execution needs none of
// that: here it makes the view and executes it with four system calls. Whatever fails or is unusual is left to
// protect_self(), which comes later in any case and finds the work done.
#include "src/cli/entry.h"

#if defined(__x86_64__)

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/vfs.h>

#ifndef ST_RDONLY
#define ST_RDONLY 1
#endif

namespace slipway::entry {

namespace {

SLIPWAY_BEFORE_LIBC bool is(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

/// Any argument will do: a needless second execution does no harm.
SLIPWAY_BEFORE_LIBC bool names_such_a_verb(char* const argv[]) {
  for (; *argv; ++argv)
    if (is(*argv, "run") || is(*argv, "create") || is(*argv, "exec")) return true;
  return false;
}

/// Returns when this is such a view already, or there can be none.
SLIPWAY_BEFORE_LIBC void execute_view(char* const argv[], char* const envp[]) {
  const char* const self = "/proc/self/exe";
  struct statfs fs;
  if (call(SYS_statfs, address(self), address(&fs)) != 0 || fs.f_flags & ST_RDONLY) return;
  const long view = call(SYS_open_tree, AT_FDCWD, address(self), OPEN_TREE_CLONE | O_CLOEXEC);
  if (view < 0) return;
  mount_attr read_only = {};
  read_only.attr_set = MOUNT_ATTR_RDONLY;
  if (call(SYS_mount_setattr, view, address(""), AT_EMPTY_PATH, address(&read_only), sizeof read_only) == 0)
    call(SYS_execveat, view, address(""), address(argv), address(envp), AT_EMPTY_PATH);
  call(SYS_close, view);
}

}  // namespace

}  // namespace slipway::entry

extern "C" SLIPWAY_BEFORE_LIBC __attribute__((used)) void program_begin(char** stack) {
  using namespace slipway::entry;
  char** const argv = stack + 1;
  char** const envp = argv + *reinterpret_cast<long*>(stack) + 1;
  if (names_such_a_verb(argv)) execute_view(argv, envp);
  populate();
}

#endif
