#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>

#include "src/base/fault.h"
#include "src/runtime/hand_over.h"
#include "src/runtime/namespace_plan.h"
#include "src/runtime/process_plan.h"
#include "src/runtime/seccomp.h"
#include "src/runtime/seccomp_listener.h"
#include "src/runtime/spawn.h"
#include "src/runtime/state_file.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"
#include "src/sys/ns.h"

namespace slipway::runtime {

namespace {

/// A process on its way into a container.
class Execution {
 public:
  Execution(const Context& context, std::string_view id, const oci::Process& process,
            const ExecOptions& options)
      : context_(context), id_(id), process_(process), options_(options) {}

  Status find_container();
  Status plan();
  Status spawn();
  Result<Created> converse();

 private:
  Status plan_namespaces();
  Status handle(const Packet& packet, Fd fd);

  const Context& context_;
  const std::string id_;
  const oci::Process& process_;
  const ExecOptions& options_;

  Arena arena_;
  State state_;
  const oci::Spec* spec_ = nullptr;
  Fd init_;
  Fd root_;
  std::unique_ptr<Cgroup> cgroup_;
  CgroupEntry entry_;
  sys::SeccompProgram seccomp_;
  HandOver hand_over_;
  ChildPlan* plan_ = arena_.make<ChildPlan>();
  SpawnRequest request_;
  std::unique_ptr<Child> child_;
};

Status Execution::find_container() {
  const Fd directory = TRY(open_container(context_, id_));
  state_ = TRY(read_state(directory.get(), id_));
  // Its root is not the container's yet.
  if (state_.creating)
    return Error::of(ErrorKind::in_use, "cannot exec in a container that is being created");
  Result<Fd> init = open_init(state_);
  if (!init.ok()) return Error::of(ErrorKind::in_use, "cannot exec in a stopped container");
  init_ = std::move(*init);
  Context its = context_;
  its.systemd_cgroup = state_.systemd_cgroup;
  cgroup_ = TRY(open_cgroup(its, state_.cgroup));
  if (!options_.ignore_paused) {
    const Result<bool> frozen = cgroup_->frozen();
    if (frozen.ok() && frozen.value())
      return Error::of(ErrorKind::in_use,
                       "cannot exec in a paused container (use --ignore-paused to override)");
  }
  spec_ = TRY(load_spec(context_, id_, arena_));
  return {};
}

/// Those that init has and the caller has not. All are joined in one call, by the pidfd (5.8); but children of the
/// caller are born into the pid namespace, so that no further fork is needed for that.
Status Execution::plan_namespaces() {
  uint64_t differ = 0;
  for (const sys::NamespaceType& type : sys::kNamespaces) {
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", static_cast<int>(state_.pid), type.file);
    const Fd file(open(path, O_RDONLY | O_CLOEXEC));
    if (!file) {
      if (errno == ENOENT) continue;  // a kernel without that type
      return Error::sys(errno, "open `%s`", path);
    }
    if (!sys::is_own_namespace(file.get(), type)) differ |= type.flag;
  }
  if (!has_own_mounts(*spec_)) {
    // init's root is not that of its mount namespace.
    root_ = TRY(sys::open_at(AT_FDCWD, ("/proc/" + std::to_string(state_.pid) + "/root").c_str(),
                             O_PATH | O_DIRECTORY));
    plan_->container_root = root_.get();
  }
  plan_->container = init_.get();
  plan_->container_flags = differ;
  plan_->become_root = differ & CLONE_NEWUSER;
  // Without rights over the pid namespace but those that the container's user namespace gives, it is joined from
  // inside of that.
  plan_->two_stages = (differ & CLONE_NEWPID) && (differ & CLONE_NEWUSER) && geteuid() != 0;
  if ((differ & CLONE_NEWPID) && !plan_->two_stages) {
    request_.pid_namespace = init_.get();
    plan_->container_flags &= ~static_cast<uint64_t>(CLONE_NEWPID);
  }
  return {};
}

Status Execution::plan() {
  hand_over_ = TRY(HandOver::plan(options_, process_.terminal));
  ChildPlan& plan = *plan_;
  plan.process = TRY(plan_process(process_, nullptr, options_, arena_));
  plan.needs_proc = plan.process.apparmor || plan.process.selinux;
  TRY(plan_namespaces());
  if (spec_->linux_ && spec_->linux_->seccomp) {
    seccomp_ = TRY(seccomp_program(*spec_->linux_->seccomp, context_.root));
    plan.process.seccomp = seccomp_plan(seccomp_);
  }
  // The container's own, by its name: that of the caller may hold the host's keys.
  if (!state_.no_new_keyring) plan.keyring = arena_.format("_ses.%s", id_.c_str()).c_str();
  entry_ = TRY(cgroup_->exec_entry(state_.pid, options_.sub_cgroups));
  const List<int> tasks = arena_.list<int>(entry_.tasks.size());
  for (uint32_t i = 0; i < tasks.size(); ++i) tasks[i] = entry_.tasks[i].get();
  plan.cgroup_tasks = tasks.items;
  plan.cgroup_task_count = tasks.size();
  plan.wait_for_cgroup = entry_.empty() && cgroup_->layout() != Cgroup::Layout::none;
  request_.cgroup = entry_.v2.get();
  return {};
}

Status Execution::spawn() {
  child_ = std::make_unique<Child>(TRY(Child::spawn(*plan_, request_)));
  fault_point("runtime.exec.child");
  if (plan_->two_stages) {
    const Packet packet = TRY(child_->receive());
    if (packet.note != Note::staged) return Error::of(ErrorKind::failed, "the process is out of step");
    TRY(child_->adopt(packet.value));
  }
  if (plan_->become_root) give_stdio(state_.pid, plan_->process);
  if (process_.oom_score_adj) TRY(set_oom_score(child_->pid(), *process_.oom_score_adj));
  TRY(cgroup_->join_exec(child_->pid(), state_.pid, options_.sub_cgroups,
                         !entry_.empty() && child_->in_cgroup()));
  fault_point("runtime.exec.joined");
  return plan_->wait_for_cgroup ? child_->send(Note::joined) : Status();
}

Status Execution::handle(const Packet& packet, Fd fd) {
  switch (packet.note) {
    case Note::terminal:
      return hand_over_.give_terminal(std::move(fd));
    case Note::listener:
      if (!fd) fd = TRY(fetch_seccomp_listener(child_->pidfd(), packet.value));
      if (!fd) return child_->send(Note::listener);
      TRY(send_seccomp_listener(*spec_->linux_->seccomp, state_, child_->pid(), fd.get()));
      return child_->send(Note::hooked);
    default:
      return Error::of(ErrorKind::failed, "the process is out of step");
  }
}

Result<Created> Execution::converse() {
  for (;;) {
    Fd fd;
    const Packet packet = TRY(child_->receive(&fd));
    if (packet.note == Note::ready) break;
    TRY(handle(packet, std::move(fd)));
  }
  fault_point("runtime.exec.ready");
  TRY(hand_over_.announce(child_->pid(), child_->pidfd()));
  fault_point("runtime.exec.announced");
  TRY(child_->send(Note::execute));
  TRY(child_->await_execution());
  fault_point("runtime.exec.executed");
  Created created;
  created.pid = child_->pid();
  created.pidfd = child_->release();
  created.terminal = hand_over_.take_terminal();
  return created;
}

}  // namespace

Result<Created> exec(const Context& context, std::string_view id, const oci::Process& process,
                     const ExecOptions& options) {
  Execution execution(context, id, process, options);
  TRY(execution.find_container());
  TRY(execution.plan());
  TRY(execution.spawn());
  return execution.converse();
}

}  // namespace slipway::runtime
