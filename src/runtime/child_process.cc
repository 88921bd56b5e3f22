#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstring>

#include "src/base/fd.h"
#include "src/runtime/child_steps.h"
#include "src/sys/cap.h"
#include "src/sys/kernel.h"
#include "src/sys/path_walk.h"

namespace slipway::runtime::child {

namespace {

bool is_null_device(const struct stat& info) {
  return S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3);
}

/// The decimal number at *text; *text moves behind it. -1: there is none.
long parse_number(const char** text, const char* end) {
  long number = -1;
  for (; *text < end && **text >= '0' && **text <= '9' && number < 1L << 40; ++*text)
    number = (number < 0 ? 0 : number * 10) + (**text - '0');
  return number;
}

/// The home directory in one line of a passwd file, if it is the line of `uid`.
bool home_in_line(const char* line, const char* end, uid_t uid, const char** home, size_t* size) {
  int field = 0;
  const char* at = line;
  bool ours = false;
  while (at < end) {
    const char* colon = static_cast<const char*>(memchr(at, ':', static_cast<size_t>(end - at)));
    const char* stop = colon ? colon : end;
    if (field == 2) {
      const char* number = at;
      ours = parse_number(&number, stop) == static_cast<long>(uid) && number == stop;
    } else if (field == 5) {
      *home = at;
      *size = static_cast<size_t>(stop - at);
      return ours;
    }
    if (!colon) return false;
    at = colon + 1;
    ++field;
  }
  return false;
}

/// Looks the user up in the open passwd file.
bool search_passwd(int fd, uid_t uid, char* home, size_t room) {
  char buffer[8192];
  size_t held = 0;
  for (;;) {
    const ssize_t got = read(fd, buffer + held, sizeof buffer - held);
    if (got < 0 && errno == EINTR) continue;
    if (got > 0) held += static_cast<size_t>(got);
    char* line = buffer;
    char* const end = buffer + held;
    while (line < end) {
      char* newline = static_cast<char*>(memchr(line, '\n', static_cast<size_t>(end - line)));
      if (!newline && got > 0) break;
      const char* found;
      size_t size;
      if (home_in_line(line, newline ? newline : end, uid, &found, &size) && size > 0 && size < room) {
        memcpy(home, found, size);
        home[size] = 0;
        return true;
      }
      line = newline ? newline + 1 : end;
    }
    if (got <= 0) return false;
    held = static_cast<size_t>(end - line);
    if (held == sizeof buffer) held = 0;  // no line of a passwd file is that long
    memmove(buffer, line, held);
  }
}

}  // namespace

Outcome set_stdio(const ProcessPlan& process) {
  int from[3];
  for (int i = 0; i < 3; ++i) {
    from[i] = process.stdio[i];
    // One that a later dup3 would overwrite moves out of the way first.
    if (from[i] < 3 && from[i] != i) from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
    if (from[i] < 0) return failed("duplicate a standard stream");
  }
  for (int i = 0; i < 3; ++i)
    if (from[i] == i ? fcntl(i, F_SETFD, 0) < 0 : dup3(from[i], i, 0) < 0)
      return failed("duplicate a standard stream");
  return kDone;
}

Outcome own_stdio(const ProcessPlan& process) {
  int null_device = -1;
  for (int i = 0; i < 3; ++i) {
    struct stat info;
    if (fstat(i, &info) < 0) return failed("stat a standard stream");
    if (!is_null_device(info)) {
      // So that the user can open /dev/stdout again. The group stays: a tty's is `tty`, with its own rights.
      if (info.st_uid != process.uid && fchown(i, process.uid, info.st_gid) < 0 && errno != EPERM &&
          errno != EROFS && errno != EINVAL && errno != ENOTSUP)
        return failed("give a standard stream to the user");
      continue;
    }
    // The host's device node would let the container change that node's owner and mode.
    if (null_device < 0) {
      null_device = open("/dev/null", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
      if (null_device < 0 && errno == ENOENT) return kDone;
      if (null_device < 0) return failed("open", "/dev/null");
      if (fstat(null_device, &info) < 0 || !is_null_device(info))
        return refused("open", "/dev/null", "it is not the null device");
    }
    if (dup3(null_device, i, 0) < 0) return failed("duplicate", "/dev/null");
  }
  if (null_device >= 0) close(null_device);
  return kDone;
}

Outcome set_limits(const ProcessPlan& process) {
  for (uint32_t i = 0; i < process.rlimit_count; ++i) {
    const RlimitPlan& limit = process.rlimits[i];
    if (setrlimit(static_cast<__rlimit_resource>(limit.resource), &limit.limit) < 0)
      return failed("set the limit", limit.name);
  }
  return kDone;
}

Outcome set_scheduling(const ProcessPlan& process) {
  // An engine that is bound to some CPUs does not bind its containers: their cpuset does. A scheduler for deadlines
  // even wants all of them.
  if (!process.initial_affinity && !process.final_affinity) {
    uint8_t all[kCpuSetSize];
    memset(all, 0xff, sizeof all);
    if (syscall(SYS_sched_setaffinity, 0, sizeof all, all) < 0 && errno != EINVAL && errno != EPERM)
      return failed("reset the CPU affinity");
  }
  if (process.final_affinity && syscall(SYS_sched_setaffinity, 0, kCpuSetSize, process.final_affinity) < 0)
    return failed("set", "process.execCPUAffinity.final");
  if (process.scheduler && syscall(SYS_sched_setattr, 0, process.scheduler, 0) < 0)
    return failed("set the scheduler attributes of", "process.scheduler");
  if (process.io_priority >= 0 &&
      syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, process.io_priority) < 0)
    return failed("set", "process.ioPriority");
  if (process.personality >= 0 && personality(static_cast<unsigned long>(process.personality)) < 0)
    return failed("set", "linux.personality");
  const MemoryPolicyPlan& memory = process.memory_policy;
  if (memory.set && syscall(SYS_set_mempolicy, memory.mode, memory.nodes, memory.bits) < 0)
    return failed("set", "linux.memoryPolicy");
  return kDone;
}

Outcome drop_bounding_set(const ProcessPlan& process) {
  for (int number = 0; number <= process.capabilities.last; ++number)
    if (!(process.capabilities.bounding >> number & 1) && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0)
      return failed("drop a capability from the bounding set");
  return kDone;
}

// By the system calls: glibc's functions would look for other threads, of which there are none on this side.
Outcome set_user(const ProcessPlan& process, bool in_user_namespace) {
  // The permitted set must outlive the change of the uid: the wanted sets are made from it.
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return failed("keep capabilities");
  if (!process.keep_groups && syscall(SYS_setgroups, process.group_count, process.groups) < 0 &&
      // A user namespace made by an ordinary user has no right to setgroups: there are no groups to lose,
      // then.
      !(errno == EPERM && in_user_namespace && process.group_count == 0))
    return failed("set", "process.user.additionalGids");
  if (syscall(SYS_setresgid, process.gid, process.gid, process.gid) < 0)
    return failed("set", "process.user.gid");
  if (syscall(SYS_setresuid, process.uid, process.uid, process.uid) < 0)
    return failed("set", "process.user.uid");
  return kDone;
}

Outcome set_capabilities(const ProcessPlan& process) {
  const CapabilityPlan& plan = process.capabilities;
  if (sys::set_capabilities(plan.effective, plan.permitted, plan.inheritable) < 0)
    return failed("set", "process.capabilities");
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
    return failed("clear the ambient capabilities");
  for (int number = 0; number <= plan.last; ++number)
    if ((plan.ambient >> number & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) < 0)
      return failed("set", "process.capabilities.ambient");
  return kDone;
}

Outcome make_cwd(const ProcessPlan& process) {
  struct stat info;
  if (stat(process.cwd, &info) == 0 || errno != ENOENT) return kDone;
  // Inside the container's root now, but not by mkdir(2): a magic link of /proc may lead to a directory of the host
  // that a careless caller has left open (CVE-2024-21626).
  const Fd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const mode_t mask = umask(022);
  const Fd made(sys::walk_in_root(root.get(), process.cwd, O_PATH | O_DIRECTORY, sys::kWalkMakeDirectories));
  umask(mask);
  return made ? kDone : failed("make the working directory", process.cwd);
}

Outcome enter_cwd(const ProcessPlan& process) {
  return chdir(process.cwd) == 0 ? kDone : failed("chdir to cwd", process.cwd);
}

Outcome check_cwd(const ProcessPlan& process) {
  char path[kPathRoom];
  // glibc's getcwd() hides the kernel's "(unreachable)".
  if (syscall(SYS_getcwd, path, sizeof path) < 0) return failed("find the working directory", process.cwd);
  if (path[0] != '/')
    return refused("enter", process.cwd,
                   "the current working directory is outside of the container's root: a breakout attempt?");
  return kDone;
}

Outcome find_home(const ProcessPlan& process) {
  if (!process.home_slot) return kDone;
  char* const text = process.home_text;
  memcpy(text, "HOME=", 6);
  const int fd = open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat info;
  if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) ||
      !search_passwd(fd, process.uid, text + 5, kPathRoom))
    memcpy(text + 5, "/", 2);
  if (fd >= 0) close(fd);
  *process.home_slot = text;
  return kDone;
}

void reset_signals() {
  // Handlers go with execve; what the caller ignored would stay ignored.
  // By the system call: glibc keeps 32 and 33 for itself, and a caller that ignores all signals ignores these, too. SIG_DFL without flags
  // and mask is all zeroes on every architecture.
  const uint64_t by_default[4] = {};
  constexpr size_t kKernelSetSize = 8;
  for (int number = 1; number < NSIG; ++number)
    syscall(SYS_rt_sigaction, number, by_default, nullptr, kKernelSetSize);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace slipway::runtime::child
