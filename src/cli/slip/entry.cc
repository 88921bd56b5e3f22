// The first instructions of slip, before libc has set anything up.
//
// A verb that puts the binary inside a container executes it a second time, through a view that nobody can write
// (see src/sys/self_exe.h). Most of what an execution costs is libc's start: relocations, and dozens of CPUID
// instructions, each of which leaves a virtual machine (0.3 ms of 0.5 in all). The first execution needs none of
// that: here it makes the view and executes it with four system calls. Whatever fails or is unusual is left to
// protect_self(), which comes later in any case and finds the work done.
//
// Nothing here may touch libc, thread-local storage (no stack protector), or data that needs a relocation.
#if defined(__x86_64__)

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <cstdint>

#ifndef ST_RDONLY
#define ST_RDONLY 1
#endif

namespace {

long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
               : "rcx", "r11", "memory");
  return result;
}

long address(const void* pointer) {
  return reinterpret_cast<long>(pointer);
}

bool is(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

/// Any argument will do: a needless second execution does no harm.
bool names_such_a_verb(char* const argv[]) {
  for (; *argv; ++argv)
    if (is(*argv, "run") || is(*argv, "create") || is(*argv, "exec")) return true;
  return false;
}

}  // namespace

/// `stack` is as the kernel has made it: argc, argv, NULL, envp, NULL.
extern "C" __attribute__((no_stack_protector, used)) void slip_protect(char** stack) {
  char** const argv = stack + 1;
  char** const envp = argv + *reinterpret_cast<long*>(stack) + 1;
  if (!names_such_a_verb(argv)) return;
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

// rdx holds what libc's _start expects there.
asm(R"(
  .globl slip_entry
  .type slip_entry, @function
slip_entry:
  endbr64
  xorl %ebp, %ebp
  movq %rsp, %rdi
  pushq %rdx
  subq $8, %rsp
  call slip_protect
  addq $8, %rsp
  popq %rdx
  jmp _start
)");

#endif
