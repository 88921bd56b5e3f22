// System calls that glibc 2.36 has no wrapper for, or whose wrapper does more than the call; and the
// constants that its headers do not know yet. Everything is inline, returns what the kernel returns through
// libc's convention
// (-1 and errno), allocates nothing, and may be used between clone and exec.
#pragma once

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef UMOUNT_NOFOLLOW
#define UMOUNT_NOFOLLOW 8
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace slipway::sys {

/// clone3(2), 5.3; CLONE_INTO_CGROUP 5.7. The child returns on a copy of the caller's stack, as after fork.
inline pid_t clone3(clone_args& args) {
  return static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof args));
}

/// openat2(2), 5.6.
inline int openat2(int dir, const char* path, uint64_t flags, uint64_t resolve, uint64_t mode = 0) {
  open_how how = {};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  return static_cast<int>(syscall(SYS_openat2, dir, path, &how, sizeof how));
}

// The mount API: open_tree, move_mount, fsopen, fsconfig, fsmount 5.2; mount_setattr 5.12.
inline int open_tree(int dir, const char* path, unsigned flags) {
  return static_cast<int>(syscall(SYS_open_tree, dir, path, flags));
}
inline int move_mount(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) {
  return static_cast<int>(syscall(SYS_move_mount, from_dir, from, to_dir, to, flags));
}
inline int fsopen(const char* type, unsigned flags) {
  return static_cast<int>(syscall(SYS_fsopen, type, flags));
}
inline int fspick(int dir, const char* path, unsigned flags) {
  return static_cast<int>(syscall(SYS_fspick, dir, path, flags));
}
inline int fsconfig(int fs, unsigned command, const char* key, const void* value, int aux) {
  return static_cast<int>(syscall(SYS_fsconfig, fs, command, key, value, aux));
}
inline int fsmount(int fs, unsigned flags, unsigned attributes) {
  return static_cast<int>(syscall(SYS_fsmount, fs, flags, attributes));
}
inline int mount_setattr(int dir, const char* path, unsigned flags, const mount_attr& attributes) {
  return static_cast<int>(syscall(SYS_mount_setattr, dir, path, flags, &attributes, sizeof attributes));
}

// mount(2) and umount2(2) are here because <sys/mount.h> of glibc 2.36 and <linux/mount.h> define the same
// names.
inline int mount(const char* source, const char* target, const char* type, unsigned long flags,
                 const void* data) {
  return static_cast<int>(syscall(SYS_mount, source, target, type, flags, data));
}
inline int umount2(const char* target, int flags) {
  return static_cast<int>(syscall(SYS_umount2, target, flags));
}

inline int pivot_root(const char* new_root, const char* put_old) {
  return static_cast<int>(syscall(SYS_pivot_root, new_root, put_old));
}

/// close_range(2), 5.9; CLOSE_RANGE_CLOEXEC 5.11.
inline int close_range(unsigned first, unsigned last, unsigned flags) {
  return static_cast<int>(syscall(SYS_close_range, first, last, flags));
}

// pidfds: pidfd_send_signal 5.1, pidfd_open 5.3.
inline int pidfd_open(pid_t pid, unsigned flags = 0) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, flags));
}
inline int pidfd_send_signal(int pidfd, int signal) {
  return static_cast<int>(syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

}  // namespace slipway::sys
