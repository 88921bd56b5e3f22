#include <limits.h>
#include <stdlib.h>

#include <cerrno>

#include "src/runtime/checkpoint.h"
#include "src/runtime/creation.h"
#include "src/runtime/criu.h"
#include "src/runtime/criu_externals.h"
#include "src/runtime/state_file.h"
#include "src/sys/cgroup.h"
#include "src/sys/kernel.h"
#include "src/sys/proc.h"

namespace slipway::runtime {

namespace {

constexpr char kLog[] = "restore.log";

/// As a creation, but that the child becomes criu, and the container's init is a process that criu makes as the child's
/// sibling.
class Restoration : public Creation {
 public:
  Restoration(const Context& context, std::string_view id, const oci::Spec& spec,
              std::string_view config_text, const RestoreOptions& options)
      : Creation(context, id, spec, config_text, options), restore_(options) {}

  Status plan();
  Status spawn();
  Status converse();

 private:
  Status describe();
  Status name_cgroups();
  Status heard(std::string_view action, pid_t pid, Fd fd);
  Status restored(pid_t pid);

  const RestoreOptions& restore_;
  std::unique_ptr<Criu> criu_;
  protobuf::Writer request_to_criu_;
};

Status Restoration::plan() {
  TRY(check_id(id_));
  if (!spec_.process) return Error::of(ErrorKind::invalid, "process must be set");
  if (!has_own_mounts(spec_))
    return Error::of(ErrorKind::unsupported,
                     "criu cannot restore a container without a mount namespace of its own");
  hand_over_ = TRY(HandOver::plan(options_, spec_.process->terminal));
  plan_state();
  namespaces_ = TRY(plan_namespaces(spec_, keep_));
  plan_outer_hooks();
  if (!options_.no_new_keyring) plan_->keyring = arena_.format("_ses.%s", id_.c_str()).c_str();
  hierarchies_ = TRY(sys::find_hierarchies());
  cgroup_ = TRY(plan_cgroup(context_, id_, spec_, hierarchies_));
  state_.cgroup = cgroup_->record();
  criu_ = std::make_unique<Criu>(TRY(Criu::prepare(restore_.criu, spec_, kLog)));
  TRY(give_descriptors(spec_, options_, *criu_, keep_, request_to_criu_));

  CriuPlan& plan = *criu_->plan(restore_.criu, arena_, plan_->process);
  char root[PATH_MAX];
  if (!realpath(state_.rootfs.c_str(), root))
    return Error::sys(errno, "root.path `%s`", state_.rootfs.c_str());
  plan.root = arena_.copy(root).c_str();
  plan.root_place = arena_.format("%s/%s", context_.root.c_str(), id_.c_str()).c_str();
  plan.read_only = spec_.root && spec_.root->readonly;
  plan.no_new_privileges = spec_.process->no_new_privileges;
  plan_->criu = &plan;
  return make_mountpoints(state_, spec_);
}

Status Restoration::spawn() {
  request_.close_fds = {pending_.fd(), directory_.get()};
  child_ = std::make_unique<Child>(TRY(Child::spawn(*plan_, request_)));
  state_.pid = child_->pid();
  TRY(set_up_from_outside());
  return criu_->start(*child_);
}

/// criu is in the new container's cgroups, which stand for those that the processes were in.
Status Restoration::name_cgroups() {
  for (const sys::CgroupMembership& line : TRY(sys::read_memberships(child_->pid()))) {
    std::string_view rest = line.controllers;
    do {
      const size_t comma = rest.find(',');
      protobuf::Writer root;
      root.text(1, rest.substr(0, comma)).text(2, line.path);
      request_to_criu_.message(Criu::kCgRoot, root);
      rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    } while (!rest.empty());
  }
  return {};
}

Status Restoration::describe() {
  criu_->describe(restore_.criu, request_to_criu_);
  request_to_criu_.text(Criu::kRoot, plan_->criu->root_place);
  request_to_criu_.number(Criu::kRstSibling, true).number(Criu::kEvasiveDevices, true);
  if (spec_.process->terminal) request_to_criu_.number(Criu::kOrphanPtsMaster, true);
  if (!restore_.lsm_profile.empty()) request_to_criu_.text(Criu::kLsmProfile, restore_.lsm_profile);
  if (!restore_.lsm_mount_context.empty())
    request_to_criu_.text(Criu::kLsmMountContext, restore_.lsm_mount_context);
  TRY(give_mounts(state_, spec_, *criu_, request_to_criu_));
  return name_cgroups();
}

/// The processes are complete, and wait to go on.
Status Restoration::restored(pid_t pid) {
  state_.pid = pid;
  state_.pid_start_time = TRY(sys::read_process_stat(pid)).start_time;
  TRY(publish());
  const Fd pidfd(sys::pidfd_open(pid));
  return hand_over_.announce(pid, pidfd.get());
}

Status Restoration::heard(std::string_view action, pid_t pid, Fd fd) {
  if (action == "setup-namespaces") {
    state_.pid = pid;
    state_.pid_start_time = TRY(sys::read_process_stat(pid)).start_time;
    return run_outer_hooks();
  }
  if (action == "orphan-pts-master" && fd) return hand_over_.give_terminal(std::move(fd));
  if (action == "post-restore") return restored(pid);
  return {};
}

Status Restoration::converse() {
  TRY(describe());
  const pid_t init = TRY(criu_->perform(
      CriuRequest::restore, request_to_criu_,
      [this](std::string_view action, pid_t pid, Fd fd) { return heard(action, pid, std::move(fd)); }));
  return child_->adopt(init);
}

}  // namespace

Result<Created> restore(const Context& context, std::string_view id, const oci::Spec& spec,
                        std::string_view config_text, const RestoreOptions& options) {
  RestoreOptions running = options;
  running.start = true;
  Restoration restoration(context, id, spec, config_text, running);
  TRY(restoration.plan());
  TRY(restoration.reserve());
  TRY(restoration.furnish());
  TRY(restoration.spawn());
  TRY(restoration.converse());
  return restoration.finish();
}

}  // namespace slipway::runtime
