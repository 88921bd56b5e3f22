// The life of the child, from clone3 to execve, top to bottom.
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "src/runtime/child_cgroup.h"
#include "src/runtime/child_steps.h"
#include "src/runtime/hooks.h"
#include "src/runtime/rootfs.h"
#include "src/sys/kernel.h"
#include "src/sys/seccomp.h"

namespace slipway::runtime::child {

namespace {

/// keyctl(2), without libkeyutils.
constexpr int kJoinSessionKeyring = 1;

Outcome join_keyring(const ChildPlan& plan) {
  // The keyring's name is visible in /proc/keys. No keyrings in the kernel, or too many of this user (EDQUOT,
  // for a rootless caller): the caller's remains, as with runc.
  if (syscall(SYS_keyctl, kJoinSessionKeyring, plan.keyring) < 0 && errno != ENOSYS && errno != EDQUOT)
    return failed("join the session keyring", plan.keyring);
  return kDone;
}

/// Called by build_rootfs when a cgroup file system is to be mounted next, and below in any case: as late as can
/// be, because the parent makes the cgroups meanwhile.
Outcome enter_cgroup_namespace(void* context) {
  ChildPlan& plan = *static_cast<ChildPlan*>(context);
  if (plan.wait_for_cgroup) {
    int tasks[sys::kMaxPassed];
    uint32_t count;
    expect_with_fds(plan, Note::joined, tasks, &count);
    STEP(enter_cgroups(tasks, count));
    for (uint32_t i = 0; i < count; ++i) close(tasks[i]);
    plan.wait_for_cgroup = false;
  }
  // Only now: the namespace's root is the cgroup that the process is in.
  if (plan.new_cgroup_namespace && unshare(CLONE_NEWCGROUP) < 0)
    return failed("unshare the cgroup namespace");
  plan.new_cgroup_namespace = false;
  return kDone;
}

Outcome write_label(int proc, const char* module_file, const char* file, const char* prefix,
                    const char* label, const char* action) {
  char text[4096];
  const size_t head = strlen(prefix);
  const size_t size = strlen(label);
  if (head + size >= sizeof text) return refused(action, label, "the label is too long");
  memcpy(text, prefix, head);
  memcpy(text + head, label, size);
  if (module_file && write_proc(proc, module_file, text, head + size, action).ok()) return kDone;
  Outcome written = write_proc(proc, file, text, head + size, action);
  // It is the label that the kernel does not know.
  written.object = label;
  written.place = nullptr;
  return written;
}

Outcome set_keyring_label(const ChildPlan& plan, int proc) {
  if (!plan.process.selinux || !plan.keyring) return kDone;
  return write_label(proc, nullptr, "thread-self/attr/keycreate", "", plan.process.selinux,
                     "set the keyring's label");
}

Outcome set_exec_labels(const ProcessPlan& process, int proc) {
  if (process.apparmor)
    STEP(write_label(proc, "thread-self/attr/apparmor/exec", "thread-self/attr/exec", "exec ",
                     process.apparmor, "apply the AppArmor profile"));
  if (process.selinux)
    STEP(write_label(proc, nullptr, "thread-self/attr/exec", "", process.selinux, "set the SELinux label"));
  return kDone;
}

Outcome write_sysctls(const ChildPlan& plan, int proc) {
  for (uint32_t i = 0; i < plan.sysctl_count; ++i)
    STEP(write_proc(proc, plan.sysctls[i].path, plan.sysctls[i].value, strlen(plan.sysctls[i].value),
                    "set the sysctl"));
  return kDone;
}

Outcome set_names(const ChildPlan& plan) {
  if (plan.hostname && sethostname(plan.hostname, strlen(plan.hostname)) < 0)
    return failed("set the hostname", plan.hostname);
  if (plan.domainname && setdomainname(plan.domainname, strlen(plan.domainname)) < 0)
    return failed("set the domainname", plan.domainname);
  return kDone;
}

Outcome load_filter(const ChildPlan& plan) {
  const SeccompPlan& seccomp = plan.process.seccomp;
  const int listener = sys::load_seccomp(seccomp.code, seccomp.length, seccomp.flags);
  if (listener < 0) return failed("load the seccomp filter");
  if (!seccomp.notify) return kDone;
  // The parent fetches the descriptor: sendmsg(2) may be what the filter asks about. One that may not (an ordinary
  // user) asks for it.
  STEP(tell(plan, Note::listener, listener));
  Note answer = listen(plan).note;
  if (answer == Note::listener) {
    STEP(tell_with_fd(plan, Note::listener, listener));
    answer = listen(plan).note;
  }
  if (answer != Note::hooked) _exit(1);
  close(listener);
  return kDone;
}

Outcome attach_terminal(const ChildPlan& plan) {
  int master = -1;
  STEP(plan.rootfs ? open_terminal(*plan.rootfs, &master)
                   : open_exec_terminal(plan.process.rows, plan.process.columns, &master));
  STEP(tell_with_fd(plan, Note::terminal, master));
  close(master);
  return kDone;
}

/// All of a new container's own: mounts, names, terminal. The result is "/".
Outcome build_container(ChildPlan& plan, int* proc) {
  if (plan.new_network_namespace) {
    if (unshare(CLONE_NEWNET) < 0) return failed("unshare the network namespace");
    STEP(raise_loopback());
  }
  if (plan.new_ipc_namespace && unshare(CLONE_NEWIPC) < 0) return failed("unshare the IPC namespace");
  STEP(build_rootfs(*plan.rootfs, enter_cgroup_namespace, &plan));
  STEP(enter_cgroup_namespace(&plan));
  // While /proc is still the host's.
  if (plan.needs_proc) *proc = open_proc();
  if (plan.ask_for_hooks) {
    STEP(tell(plan, Note::mounted));
    const Packet packet = listen(plan);
    if (packet.note != Note::hooked) _exit(1);
    set_hook_pid(plan.creating, packet.value);
    set_hook_pid(plan.created, packet.value);
  }
  // After the mounts, before pivot_root: they are looked up in the host's tree and see the container's
  // mounts.
  STEP(child::run_hooks(plan.create_container, plan.creating));
  STEP(enter_rootfs(*plan.rootfs));
  // In the container's root, and before it becomes read-only.
  STEP(make_cwd(plan.process));
  STEP(set_names(plan));
  // After pivot_root, because /dev/console is bound to what the container's devpts has made (CVE-2025-52565).
  if (plan.process.terminal) STEP(attach_terminal(plan));
  // Before /proc/sys is made read-only, though written through a handle of our own (CVE-2025-52881).
  STEP(write_sysctls(plan, *proc));
  // After the console, which is a mount, too.
  return protect_paths(*plan.rootfs);
}

/// From root to the process that config.json describes. The order of these is most of the security.
Outcome become_process(ChildPlan& plan, int proc) {
  const ProcessPlan& process = plan.process;
  STEP(own_stdio(process));
  STEP(set_scheduling(process));
  STEP(set_limits(process));
  STEP(set_exec_labels(process, proc));
  if (proc >= 0) close(proc);
  if (process.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return failed("set no_new_privs");
  // Without no_new_privs a filter needs CAP_SYS_ADMIN, which goes below. With it, it is loaded right before
  // execve, so that the profile need not allow what we do in between.
  if (process.seccomp.code && !process.no_new_privileges) STEP(load_filter(plan));
  // As root, because the directory may be closed to the user; else as the user: it may be closed to root (NFS).
  const Outcome entered_as_root = enter_cwd(process);
  STEP(drop_bounding_set(process));
  STEP(set_user(process, plan.become_root));
  if (!entered_as_root.ok()) STEP(enter_cwd(process));
  STEP(check_cwd(process));
  STEP(set_capabilities(process));
  // A change of ids makes a process dumpable again by fs.suid_dumpable's default.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return failed("become undumpable");
  umask(process.umask);
  STEP(find_home(process));
  return find_program(process);
}

/// While a container waits to be started, which may be long, it holds nothing of the host's but the two fifos.
void close_others(const ChildPlan& plan) {
  const unsigned low =
      static_cast<unsigned>(plan.start_fifo < plan.result_fifo ? plan.start_fifo : plan.result_fifo);
  const unsigned high = static_cast<unsigned>(plan.start_fifo ^ plan.result_fifo) ^ low;
  const unsigned first = 3 + plan.process.preserve_fds;
  if (first < low) sys::close_range(first, low - 1, 0);
  if (low + 1 < high) sys::close_range(low + 1, high - 1, 0);
  sys::close_range(high + 1, ~0U, 0);
}

void end_by_signal(int number) {
  _exit(128 + number);
}

/// To the first process of a pid namespace the kernel delivers only signals that it handles. A container that is
/// stopped before it was started shall not wait for SIGKILL.
void obey_signals(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) sigaction(number, &action, nullptr);
}

/// create() has done its work; what is left waits for start().
Outcome await_start(const ChildPlan& plan) {
  obey_signals(end_by_signal);
  char byte;
  // Opened for reading and writing: it has always a writer, so this waits for a byte of start() and for
  // nothing else.
  ssize_t got;
  do {
    got = read(plan.start_fifo, &byte, 1);
  } while (got < 0 && errno == EINTR);
  obey_signals(SIG_DFL);
  return got == 1 ? kDone : failed("wait for start");
}

Outcome live(ChildPlan& plan) {
  // Die with the parent, until it lets go. execve and changes of ids clear this; listen() sees a parent that
  // died before the call.
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // No process of a namespace that is joined may look into us, or at what we have open (CVE-2016-9962). A new
  // user namespace has its maps written first: an ordinary user cannot write those of an undumpable process.
  if (plan.new_user_namespace) {
    const Packet packet = listen(plan);
    if (packet.note != Note::mapped) _exit(1);
  }
  // Now, because the file of an undumpable process belongs to the host's root.
  if (plan.new_time_namespace) STEP(enter_time_namespace(plan));
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return failed("become undumpable");
  // Before unshare(CLONE_NEWCGROUP); the descriptors carry the parent's rights.
  if (plan.cgroup_task_count) STEP(enter_cgroups(plan.cgroup_tasks, plan.cgroup_task_count));

  int proc = -1;
  if (!plan.rootfs && plan.needs_proc) proc = open_proc();
  if (plan.process.initial_affinity)
    if (syscall(SYS_sched_setaffinity, 0, kCpuSetSize, plan.process.initial_affinity) < 0)
      return failed("set", "process.execCPUAffinity.initial");
  if (!plan.two_stages) STEP(join_namespaces(plan));
  if (plan.become_root) STEP(become_root());
  if (setsid() < 0) return failed("make a session");
  STEP(set_stdio(plan.process));
  if (plan.keyring) {
    int own_proc = proc;
    if (plan.process.selinux && own_proc < 0) own_proc = open_proc();
    STEP(set_keyring_label(plan, own_proc));
    if (own_proc != proc) close(own_proc);
    STEP(join_keyring(plan));
  }

  if (plan.rootfs) {
    STEP(build_container(plan, &proc));
  } else {
    if (plan.container_root >= 0 && (fchdir(plan.container_root) < 0 || chroot(".") < 0 || chdir("/") < 0))
      return failed("enter the root of the container");
    STEP(enter_cgroup_namespace(&plan));
    if (plan.process.terminal) STEP(attach_terminal(plan));
  }
  if (plan.tell_built) STEP(tell(plan, Note::built));
  STEP(become_process(plan, proc));
  // A listener must reach its socket while there is a parent to send it.
  if (plan.process.seccomp.code && plan.process.no_new_privileges && plan.process.seccomp.notify)
    STEP(load_filter(plan));
  reset_signals();

  // The runtime may exit as soon as it has answered; if it is killed before, listen() sees that.
  if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0) return failed("outlive the runtime");
  if (!plan.tell_built) STEP(tell(plan, Note::ready));
  const Note order = listen(plan).note;
  if (order == Note::go) {
    // From here on failures are start()'s.
    plan.parent = -1;
    close_others(plan);
    STEP(await_start(plan));
  } else if (order != Note::execute) {
    _exit(1);
  }
  STEP(child::run_hooks(plan.start_container, plan.created));
  if (plan.process.seccomp.code && plan.process.no_new_privileges && !plan.process.seccomp.notify)
    STEP(load_filter(plan));
  return execute(plan.process);
}

/// Joins the namespaces whose rights the container's own are made with, and clones the container's process as
/// a sibling: it must be a child of the runtime.
Outcome first_stage(ChildPlan& plan) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return failed("become undumpable");
  STEP(join_namespaces(plan));
  clone_args args = {};
  args.flags = CLONE_PARENT | plan.clone_flags;
  const pid_t pid = sys::clone3(args);
  if (pid < 0) return failed("clone the container's process");
  if (pid == 0) {
    if (listen(plan).note != Note::adopted) _exit(1);  // or it may speak before we have told of it
    const Outcome outcome = live(plan);
    tell_failure(plan, outcome);
    _exit(1);
  }
  STEP(tell(plan, Note::staged, pid));
  _exit(0);
}

/// What the processes have from criu that it restores.
Outcome live_as_criu(ChildPlan& plan) {
  STEP(enter_cgroup_namespace(&plan));
  if (plan.keyring) STEP(join_keyring(plan));
  STEP(set_stdio(plan.process));
  return become_criu(plan);
}

}  // namespace

[[noreturn]] void run(ChildPlan& plan) {
  // All descriptors are close-on-exec but those that are preserved; this is for those of a caller who was
  // careless (CVE-2024-21626). EINVAL: before 5.11.
  sys::close_range(3 + plan.process.preserve_fds, ~0U, CLOSE_RANGE_CLOEXEC);
  for (unsigned i = 0; i < plan.process.preserve_fds; ++i) fcntl(static_cast<int>(3 + i), F_SETFD, 0);
  const Outcome outcome = plan.criu ? live_as_criu(plan) : plan.two_stages ? first_stage(plan) : live(plan);
  tell_failure(plan, outcome);
  _exit(1);
}

}  // namespace slipway::runtime::child
