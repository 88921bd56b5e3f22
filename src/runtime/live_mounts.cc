#include "src/runtime/live_mounts.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "src/runtime/child_live_mounts.h"
#include "src/runtime/mount_plan.h"
#include "src/runtime/namespace_plan.h"
#include "src/runtime/state_file.h"
#include "src/sys/kernel.h"
#include "src/sys/ns.h"

namespace slipway::runtime {

namespace {

/// The namespaces of init that a mount may depend on. Its user namespace only when it is another one: joining
/// one's own is an error.
Result<int> namespaces_of(pid_t init) {
  int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;
  const sys::NamespaceType* const user = sys::find_namespace("user");
  const std::string path = "/proc/" + std::to_string(init) + "/ns/user";
  const Fd its = TRY(sys::open_namespace(path.c_str(), *user));
  if (!sys::is_own_namespace(its.get(), *user)) flags |= CLONE_NEWUSER;
  return flags;
}

Error to_error(const child::Outcome& outcome) {
  const char* const reason = outcome.reason ? outcome.reason : strerror(outcome.code);
  if (outcome.place)
    return Error::of(outcome.kind, "%s `%s` on `%s`: %s", outcome.action, outcome.object, outcome.place,
                     reason);
  if (outcome.object) return Error::of(outcome.kind, "%s `%s`: %s", outcome.action, outcome.object, reason);
  return Error::of(outcome.kind, "%s: %s", outcome.action, reason);
}

/// Runs the plan in a child that joins the container.
Status perform(const LiveMountPlan& plan) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return Error::sys(errno, "pipe");
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return Error::sys(errno, "fork");
  if (pid == 0) child::change_live_mounts(plan, writing.get());
  writing.reset();
  child::Outcome outcome;
  ssize_t size = -1;
  do {
    size = read(reading.get(), &outcome, sizeof outcome);
  } while (size < 0 && errno == EINTR);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (size != static_cast<ssize_t>(sizeof outcome))
    return Error::of(ErrorKind::failed, "the process that mounts has died");
  if (!outcome.ok()) return to_error(outcome);
  return {};
}

Status change_mounts(const Context& context, std::string_view id, const List<oci::Mount>& mounts,
                     bool remove) {
  Arena arena;
  const Fd directory = TRY(open_container(context, id));
  const State state = TRY(read_state(directory.get(), id));
  Result<Fd> init = open_init(state);
  if (!init.ok()) return Error::of(ErrorKind::in_use, "container not running");
  oci::Spec spec = *TRY(load_spec(context, id, arena));
  if (state.creating || !has_own_mounts(spec))
    return Error::of(ErrorKind::unsupported, "the container has no root of its own in its mount namespace");
  spec.mounts = mounts;

  LiveMountPlan plan;
  plan.init = init->get();
  plan.namespaces = TRY(namespaces_of(state.pid));
  plan.remove = remove;
  std::vector<Fd> keep;
  ListBuilder<Str> warnings(arena);
  RootfsRequest request;
  request.spec = &spec;
  request.bundle = state.bundle.c_str();
  request.user_namespace = plan.namespaces & CLONE_NEWUSER;
  request.own_cgroup_namespace = oci::has_namespace(spec, "cgroup");
  request.cgroup_directories = &state.cgroup.directories;
  const std::vector<sys::CgroupHierarchy> hierarchies = TRY(sys::find_hierarchies());
  request.hierarchies = &hierarchies;
  PlanContext planning = {request, arena, keep, warnings, "", ListBuilder<PlannedMount>(arena), !remove};
  TRY(plan_mounts(planning));
  plan.mounts = planning.mounts.list();
  return perform(plan);
}

}  // namespace

Status add_mounts(const Context& context, std::string_view id, const List<oci::Mount>& mounts) {
  return change_mounts(context, id, mounts, false);
}

Status remove_mounts(const Context& context, std::string_view id, const List<oci::Mount>& mounts) {
  return change_mounts(context, id, mounts, true);
}

}  // namespace slipway::runtime
