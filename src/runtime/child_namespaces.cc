#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "src/runtime/child_steps.h"
#include "src/sys/kernel.h"

namespace slipway::runtime::child {

namespace {

Outcome join_by_path(const ChildPlan& plan) {
  // A user namespace that is joined takes away the rights over namespaces of its parent, and gives those over
  // its own. So: first what can be joined with the rights of the caller, then the user namespace, then the
  // rest.
  uint64_t joined = 0;
  const NamespaceJoin* user = nullptr;
  for (uint32_t i = 0; i < plan.join_count; ++i) {
    const NamespaceJoin& join = plan.joins[i];
    if (join.flag == CLONE_NEWUSER) {
      user = &join;
    } else if (setns(join.fd, static_cast<int>(join.flag)) == 0) {
      joined |= join.flag;
    } else if (errno != EPERM) {
      return failed("join the namespace", join.name);
    }
  }
  if (user && setns(user->fd, CLONE_NEWUSER) < 0) return failed("join the namespace", user->name);
  for (uint32_t i = 0; i < plan.join_count; ++i) {
    const NamespaceJoin& join = plan.joins[i];
    if (&join == user || (joined & join.flag)) continue;
    if (setns(join.fd, static_cast<int>(join.flag)) < 0) return failed("join the namespace", join.name);
  }
  return kDone;
}

Outcome join_container(const ChildPlan& plan) {
  const int all = static_cast<int>(plan.container_flags);
  if (all == 0 || setns(plan.container, all) == 0) return kDone;
  if (errno != EPERM || !(all & CLONE_NEWUSER)) return failed("join the namespaces of the container");
  // Some belong to the user namespace of the caller: a network that was joined by its path, say.
  int left = 0;
  for (int flag :
       {CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWNS})
    if ((all & flag) && setns(plan.container, flag) < 0) left |= flag;
  if (setns(plan.container, CLONE_NEWUSER) < 0 || (left && setns(plan.container, left) < 0))
    return failed("join the namespaces of the container");
  return kDone;
}

Outcome write_time_offsets(const char* offsets) {
  const int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
  const size_t size = strlen(offsets);
  const bool written = fd >= 0 && write(fd, offsets, size) == static_cast<ssize_t>(size);
  const Outcome outcome = written ? kDone : failed("write", "/proc/self/timens_offsets");
  if (fd >= 0) close(fd);
  return outcome;
}

}  // namespace

Outcome join_namespaces(const ChildPlan& plan) {
  if (plan.container >= 0) return join_container(plan);
  return join_by_path(plan);
}

Outcome become_root() {
  // All capabilities of the user namespace are there already; the ids make files that are created have an
  // owner. A namespace without an id 0 is its maker's choice.
  if ((syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0) && errno != EINVAL)
    return failed("become root of the user namespace");
  return kDone;
}

Outcome raise_loopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("bring up", "lo");
  ifreq request = {};
  memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const int result = ioctl(fd, SIOCSIFFLAGS, &request);
  close(fd);
  return result < 0 ? failed("bring up", "lo") : kDone;
}

Outcome enter_time_namespace(const ChildPlan& plan) {
  if (unshare(CLONE_NEWTIME) < 0) return failed("unshare the time namespace");
  if (plan.time_offsets) STEP(write_time_offsets(plan.time_offsets));
  // unshare(2) is about children only; execve(2) takes the caller along since 6.3.
  const int fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
  const bool joined = fd >= 0 && setns(fd, CLONE_NEWTIME) == 0;
  const Outcome outcome = joined ? kDone : failed("join the time namespace");
  if (fd >= 0) close(fd);
  return outcome;
}

}  // namespace slipway::runtime::child
