#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include "src/base/fault.h"
#include "src/runtime/container_dir.h"
#include "src/runtime/creation.h"
#include "src/runtime/hand_over.h"
#include "src/runtime/hooks.h"
#include "src/runtime/intel_rdt.h"
#include "src/runtime/namespace_plan.h"
#include "src/runtime/net_devices.h"
#include "src/runtime/pending.h"
#include "src/runtime/process_plan.h"
#include "src/runtime/rootfs.h"
#include "src/runtime/seccomp.h"
#include "src/runtime/seccomp_listener.h"
#include "src/runtime/shared_root.h"
#include "src/runtime/spawn.h"
#include "src/runtime/state_file.h"
#include "src/runtime/user.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"
#include "src/sys/ns.h"
#include "src/sys/proc.h"

namespace slipway::runtime {

namespace {

const oci::Hooks kNoHooks;
const oci::Linux kNoLinux;
const oci::Resources kNoResources;

/// RFC 3339 in UTC. Not by gmtime_r, which reads /etc/localtime first.
std::string now() {
  timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  const std::chrono::sys_seconds seconds{std::chrono::seconds(time.tv_sec)};
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  char text[64];
  snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%09ldZ", static_cast<int>(date.year()),
           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
           static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
           static_cast<int>(clock.seconds().count()), time.tv_nsec);
  return text;
}

/// Below the procfs. As sysctl(8) reads it: the first separator, a dot or a slash, is the separator.
Result<const char*> sysctl_path(std::string_view name, Arena& arena) {
  const Str path = arena.format("sys/%.*s", static_cast<int>(name.size()), name.data());
  char* const text = const_cast<char*>(path.c_str()) + 4;
  const size_t first = name.find_first_of("./");
  if (first != std::string_view::npos && name[first] == '.')
    for (char* c = text; *c; ++c) *c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
  if (name.empty() || strstr(text, "..") || text[0] == '/')
    return Error::of(ErrorKind::invalid, "linux.sysctl: `%.*s` is no name", static_cast<int>(name.size()),
                     name.data());
  return path.c_str();
}

}  // namespace

Creation::Creation(const Context& context, std::string_view id, const oci::Spec& spec,
                   std::string_view config_text, const CreateOptions& options)
    : context_(context),
      id_(id),
      spec_(spec),
      linux_(spec.linux_ ? *spec.linux_ : kNoLinux),
      hooks_(spec.hooks ? *spec.hooks : kNoHooks),
      config_text_(config_text),
      options_(options) {}

// --- before the clone

void Creation::plan_state() {
  state_.id = id_;
  state_.bundle = options_.bundle;
  const std::string_view root = spec_.root ? spec_.root->path.view() : std::string_view();
  state_.rootfs =
      root.empty() || root[0] == '/' ? std::string(root) : options_.bundle + "/" + std::string(root);
  state_.created = now();
  state_.owner = owner_name(geteuid());
  for (const Entry<Str>& entry : spec_.annotations)
    state_.annotations.emplace_back(entry.key.view(), entry.value.view());
  state_.systemd_cgroup = context_.systemd_cgroup;
  state_.foreground = options_.foreground_owner;
  state_.no_new_keyring = options_.no_new_keyring;
}

void Creation::plan_outer_hooks() {
  if (!spec_.hooks) return;
  prestart_ = plan_hooks(spec_, "prestart", hooks_.prestart, arena_);
  create_runtime_ = plan_hooks(spec_, "createRuntime", hooks_.create_runtime, arena_);
  poststart_ = plan_hooks(spec_, "poststart", hooks_.poststart, arena_);
  poststop_ = plan_hooks(spec_, "poststop", hooks_.poststop, arena_);
  plan_->creating = plan_hook_state(state_, "creating", arena_);
  plan_->created = plan_hook_state(state_, "created", arena_);
  stopped_ = plan_hook_state(state_, "stopped", arena_);
}

Status Creation::plan_child() {
  ChildPlan& plan = *plan_;
  plan.process = TRY(plan_process(*spec_.process, &linux_, options_, arena_));
  const Str* keep_groups = spec_.annotations.find("run.oci.keep_original_groups");
  plan.process.keep_groups = keep_groups && *keep_groups != "0" && *keep_groups != "false";
  apply_namespaces(namespaces_, spec_, arena_, &plan, &request_);
  if (!spec_.hostname.empty()) plan.hostname = spec_.hostname.c_str();
  if (!spec_.domainname.empty()) plan.domainname = spec_.domainname.c_str();
  const List<SysctlPlan> sysctls = arena_.list<SysctlPlan>(linux_.sysctl.size());
  for (uint32_t i = 0; i < sysctls.size(); ++i) {
    sysctls[i].path = TRY(sysctl_path(linux_.sysctl[i].key, arena_));
    sysctls[i].value = linux_.sysctl[i].value.c_str();
  }
  plan.sysctls = sysctls.items;
  plan.sysctl_count = sysctls.size();
  plan.needs_proc = !sysctls.empty() || plan.process.apparmor || plan.process.selinux;
  if (!options_.no_new_keyring) plan.keyring = arena_.format("_ses.%s", id_.c_str()).c_str();

  plan_outer_hooks();
  plan.create_container = plan_hooks(spec_, "createContainer", hooks_.create_container, arena_);
  plan.start_container = plan_hooks(spec_, "startContainer", hooks_.start_container, arena_);
  // In the container nothing tells of the caller's environment, which may hold secrets.
  plan.start_container.env = plan.process.env;
  plan.ask_for_hooks = prestart_.count || create_runtime_.count || plan.create_container.count ||
                       plan.start_container.count || !linux_.net_devices.empty();
  return {};
}

Status Creation::plan() {
  TRY(check_id(id_));
  // Before we look at the root file system, on which a killed creator may have left a mount.
  TRY(collect_pending(context_, id_));
  if (!spec_.process) return Error::of(ErrorKind::invalid, "process must be set");
  hand_over_ = TRY(HandOver::plan(options_, spec_.process && spec_.process->terminal));
  plan_state();
  namespaces_ = TRY(plan_namespaces(spec_, keep_));
  TRY(plan_child());
  if (linux_.seccomp) {
    if (spec_.annotations.find("run.oci.seccomp_fail_unknown_syscall"))
      TRY(check_seccomp_calls(*linux_.seccomp));
    seccomp_ = TRY(seccomp_program(*linux_.seccomp, context_.root));
    plan_->process.seccomp = seccomp_plan(seccomp_);
  }
  // With a seccomp listener there is more to talk about; and what create() makes is whole when it returns.
  plan_->tell_built = options_.start && !seccomp_.notify;
  hierarchies_ = TRY(sys::find_hierarchies());
  cgroup_ = TRY(plan_cgroup(context_, id_, spec_, hierarchies_));
  state_.cgroup = cgroup_->record();

  RootfsRequest rootfs;
  rootfs.spec = &spec_;
  rootfs.bundle = options_.bundle.c_str();
  rootfs.rootfs = options_.rootfs;
  rootfs.no_pivot = options_.no_pivot;
  rootfs.user_namespace = namespaces_.own_user;
  rootfs.own_mount_namespace = namespaces_.makes(CLONE_NEWNS);
  rootfs.own_cgroup_namespace = namespaces_.make_cgroup;
  rootfs.cgroup_directories = &state_.cgroup.directories;
  rootfs.hierarchies = &hierarchies_;
  if (!rootfs.own_mount_namespace) bare_root_ = BareRoot::at(state_.rootfs);
  ListBuilder<Str> warnings(arena_);
  plan_->rootfs = TRY(plan_rootfs(rootfs, arena_, keep_, warnings));
  return {};
}

Status Creation::make_fifos() {
  if (options_.start) return {};
  // Opened for both directions by the child: reading waits for start() without an end of file before it, and
  // opening never blocks. start() sees the end of file of the second one when execve closes it.
  for (const auto& [name, fd] :
       {std::pair{kStartFifo, &start_fifo_}, std::pair{kResultFifo, &result_fifo_}}) {
    if (mkfifoat(directory_.get(), name, 0600) < 0) return Error::sys(errno, "make `%s`", name);
    *fd = TRY(sys::open_at(directory_.get(), name, O_RDWR | O_NOFOLLOW));
  }
  plan_->start_fifo = start_fifo_.get();
  plan_->result_fifo = result_fifo_.get();
  return {};
}

Status Creation::reserve() {
  fault_point("runtime.create.planned");
  pending_ = TRY(Pending::begin(context_, id_));
  fault_point("runtime.create.locked");
  // What a killed delete() has left is no container: it has no state any more, and nobody is making it.
  Status free = remove_stateless_directory(context_, id_);
  if (free.ok()) free = check_container_is_new(context_, id_);
  if (!free.ok()) {
    pending_.done();
    return free;
  }
  reserved_ = true;
  TRY(pending_.record(context_, state_.cgroup, bare_root_));
  fault_point("runtime.create.recorded");
  in_cgroup_ = true;
  cgroup_directory_ = TRY(cgroup_->prepare());
  fault_point("runtime.create.cgroup");
  plan_->wait_for_cgroup = cgroup_->layout() != Cgroup::Layout::none;
  request_.cgroup = cgroup_directory_.get();
  return {};
}

Status Creation::furnish() {
  directory_ = TRY(make_container_directory(context_, id_));
  fault_point("runtime.create.directory");
  TRY(sys::write_new_file_at(directory_.get(), kConfigFile, config_text_, 0600)
          .ctx("`%s/%s`", context_.root.c_str(), id_.c_str()));
  TRY(make_fifos().ctx("`%s/%s`", context_.root.c_str(), id_.c_str()));
  fault_point("runtime.create.furnished");
  return {};
}

// --- with the child

Status Creation::spawn() {
  request_.close_fds = {pending_.fd(), directory_.get()};
  child_ = std::make_unique<Child>(TRY(Child::spawn(*plan_, request_)));
  fault_point("runtime.create.child");
  if (plan_->two_stages) {
    const Packet packet = TRY(child_->receive());
    if (packet.note != Note::staged)
      return Error::of(ErrorKind::failed, "the container's process is out of step");
    TRY(child_->adopt(packet.value));
  }
  // Before the maps are written: afterwards the child is undumpable, and this file no longer an ordinary user's.
  if (spec_.process->oom_score_adj) TRY(set_oom_score(child_->pid(), *spec_.process->oom_score_adj));
  if (namespaces_.makes(CLONE_NEWUSER) && !plan_->two_stages) {
    TRY(sys::write_id_maps(child_->pid(), namespaces_.uids, namespaces_.gids));
    TRY(child_->send(Note::mapped));
  }
  state_.pid = child_->pid();
  if (plan_->become_root) give_stdio(state_.pid, plan_->process);
  return set_up_from_outside();
}

/// While the child mounts.
Status Creation::set_up_from_outside() {
  const std::vector<Fd> tasks = TRY(cgroup_->join(child_->pid(), cgroup_directory_ && child_->in_cgroup()));
  fault_point("runtime.create.joined");
  TRY(cgroup_->apply(linux_.resources ? *linux_.resources : kNoResources));
  if (plan_->wait_for_cgroup) TRY(child_->send(Note::joined, tasks));
  // systemd names the cgroup when it has made it.
  state_.cgroup = cgroup_->record();
  state_.pid_start_time = TRY(sys::read_process_stat(state_.pid)).start_time;
  if (linux_.intel_rdt) state_.intel_rdt = TRY(join_intel_rdt(*linux_.intel_rdt, id_, state_.pid));
  return {};
}

Status Creation::give_net_devices() {
  if (linux_.net_devices.empty()) return {};
  const std::string path = "/proc/" + std::to_string(state_.pid) + "/ns/net";
  const Fd network = TRY(sys::open_namespace(path.c_str(), *sys::find_namespace("network")));
  return move_net_devices(linux_.net_devices, network.get());
}

Status Creation::run_outer_hooks() {
  hooks_ran_ = true;
  set_hook_pid(plan_->creating, state_.pid);
  set_hook_pid(plan_->created, state_.pid);
  if (prestart_.count == 0 && create_runtime_.count == 0) return {};
  state_.creating = true;
  TRY(stage());
  TRY(publish_state(directory_.get()));
  fault_point("runtime.create.creating");
  staged_ = false;
  state_.creating = false;
  TRY(run_hooks(prestart_, plan_->creating));
  return run_hooks(create_runtime_, plan_->creating);
}

Status Creation::handle(const Packet& packet, Fd fd) {
  switch (packet.note) {
    case Note::mounted:
      TRY(give_net_devices());
      TRY(run_outer_hooks());
      return child_->send(Note::hooked, state_.pid);
    case Note::terminal:
      return hand_over_.give_terminal(std::move(fd));
    case Note::listener:
      if (!fd) fd = TRY(fetch_seccomp_listener(child_->pidfd(), packet.value));
      if (!fd) return child_->send(Note::listener);
      TRY(send_seccomp_listener(*linux_.seccomp, state_, state_.pid, fd.get()));
      return child_->send(Note::hooked);
    default:
      return Error::of(ErrorKind::failed, "the container's process is out of step");
  }
}

Status Creation::converse() {
  for (;;) {
    Fd fd;
    Result<Packet> packet = child_->receive(&fd);
    if (!packet.ok()) {
      if (cgroup_->oom_kills() > 0) packet.error().add_hint("out of memory: the memory limit may be too low");
      return std::move(packet).error();
    }
    if (packet->note == Note::ready || packet->note == Note::built) return {};
    TRY(handle(*packet, std::move(fd)));
  }
}

/// What is known of the container when its process is.
Status Creation::stage() {
  TRY(stage_state(directory_.get(), state_).ctx("`%s/%s`", context_.root.c_str(), id_.c_str()));
  fault_point("runtime.create.staged");
  staged_ = true;
  return {};
}

/// From here on the container exists. The state is there before the container's program may run.
Status Creation::publish() {
  if (spec_.annotations.find(kDelegateAnnotation)) TRY(cgroup_->delegate_to(state_.pid));
  fault_point("runtime.create.built");
  state_.root_mount = find_shared_root(bare_root_);
  if (!staged_ || state_.root_mount) TRY(stage());
  TRY(publish_state(directory_.get()));
  fault_point("runtime.create.published");
  return {};
}

Status Creation::let_go() {
  if (!options_.start) {
    TRY(hand_over_.announce(state_.pid, child_->pidfd()));
    fault_point("runtime.create.announced");
    return child_->send(Note::go);
  }
  TRY(child_->send(Note::execute));
  TRY(child_->await_execution());
  fault_point("runtime.create.executed");
  TRY(hand_over_.announce(state_.pid, child_->pidfd()));
  fault_point("runtime.create.announced");
  hooks_ran_ = true;
  set_hook_pid(plan_->created, state_.pid);
  if (poststart_.count == 0) return {};
  const HookStatePlan running = plan_hook_state(state_, "running", arena_);
  set_hook_pid(running, state_.pid);
  return run_hooks(poststart_, running);
}

Created Creation::finish() {
  finished_ = true;
  Created created;
  created.pid = state_.pid;
  created.pidfd = child_->release();
  created.terminal = hand_over_.take_terminal();
  if (namespaces_.makes(CLONE_NEWPID) && poststop_.count == 0) created.state = std::move(state_);
  if (options_.foreground_owner) {
    created.ownership = pending_.keep();
  } else {
    pending_.done();
  }
  return created;
}

void Creation::undo() {
  const bool had_child = child_ != nullptr;
  child_.reset();  // kills it
  fault_point("runtime.undo.child");
  if (had_child) state_.root_mount = find_shared_root(bare_root_);
  unmount_shared_root(state_.rootfs, state_.root_mount);
  if (in_cgroup_ && !cgroup_->destroy().ok()) return;  // the record stays, for the next command to try again
  fault_point("runtime.undo.cgroup");
  if (!leave_intel_rdt(state_.intel_rdt).ok()) return;
  if (directory_ && !remove_container_directory(context_, id_).ok()) return;
  if (reserved_) pending_.done();
  // "If any createRuntime hook fails, ... continue the lifecycle": with poststop.
  if (had_child && hooks_ran_ && !run_hooks(poststop_, stopped_).ok()) return;
}

Result<Created> create(const Context& context, std::string_view id, const oci::Spec& spec,
                       std::string_view config_text, const CreateOptions& options) {
  Creation creation(context, id, spec, config_text, options);
  TRY(creation.plan());
  TRY(creation.reserve());
  // The child inherits the fifos that it waits on. One that does not wait builds the container meanwhile: three inodes
  // are a tenth of the time that /bin/true takes, on an ext4 without a journal.
  if (!options.start) TRY(creation.furnish());
  TRY(creation.spawn());
  if (options.start) TRY(creation.furnish());
  TRY(creation.stage());
  TRY(creation.converse());
  TRY(creation.publish());
  TRY(creation.let_go());
  return creation.finish();
}

}  // namespace slipway::runtime
