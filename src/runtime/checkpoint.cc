#include "src/runtime/checkpoint.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "src/runtime/criu.h"
#include "src/runtime/criu_externals.h"
#include "src/runtime/namespace_plan.h"
#include "src/runtime/state_file.h"
#include "src/sys/file.h"

namespace slipway::runtime {

namespace {

constexpr char kLog[] = "dump.log";

/// The directory in which criu may freeze all processes at once.
std::string freezer_of(const CgroupRecord& cgroup) {
  std::string found;
  for (const auto& [controller, directory] : cgroup.directories)
    if (controller == "freezer" || (controller.empty() && found.empty())) found = directory;
  return found;
}

void describe_dump(const CheckpointOptions& options, const State& state, const oci::Spec& spec,
                   protobuf::Writer& out) {
  out.number(Criu::kPid, state.pid).number(Criu::kLeaveRunning, options.leave_running);
  out.number(Criu::kTcpSkipInFlight, options.tcp_skip_in_flight);
  if (!options.parent.empty()) out.text(Criu::kParentImg, options.parent);
  if (options.pre_dump || !options.parent.empty()) out.number(Criu::kTrackMem, true);
  if (spec.process && spec.process->terminal) out.number(Criu::kOrphanPtsMaster, true);
  const std::string freezer = freezer_of(state.cgroup);
  if (!freezer.empty()) out.text(Criu::kFreezeCgroup, freezer);
  if (!options.page_server.empty()) {
    protobuf::Writer server;
    server.text(1, options.page_server).number(2, options.page_server_port);
    out.message(Criu::kPageServer, server);
  }
}

Status make_directories(const CheckpointOptions& options) {
  TRY(sys::make_directories(options.images, 0700).ctx("images"));
  if (!options.work.empty()) TRY(sys::make_directories(options.work, 0700).ctx("work directory"));
  return {};
}

Status check_parent(const CheckpointOptions& options) {
  if (options.parent.empty()) return {};
  if (options.parent[0] == '/')
    return Error::of(ErrorKind::invalid, "the parent's path `%s` must be relative to the images",
                     options.parent.c_str());
  const std::string path = options.images + "/" + options.parent;
  if (access(path.c_str(), F_OK) < 0) return Error::sys(errno, "parent `%s`", path.c_str());
  return {};
}

/// A process that is waited for and never killed: a criu that is killed leaves the processes of the container with its
/// own code in them.
class CriuProcess {
 public:
  static Result<CriuProcess> start(Criu& criu, const CheckpointOptions& options, Arena& arena) {
    ChildPlan* const plan = arena.make<ChildPlan>();
    plan->criu = criu.plan(options, arena, plan->process);
    CriuProcess process(TRY(Child::spawn(*plan, SpawnRequest())));
    TRY(criu.start(process.child_));
    return process;
  }
  CriuProcess(CriuProcess&&) = default;
  ~CriuProcess() { child_.wait(); }

 private:
  explicit CriuProcess(Child child) : child_(std::move(child)) {}
  Child child_;
};

Status perform(const CheckpointOptions& options, const State& state, const oci::Spec& spec) {
  Criu criu = TRY(Criu::prepare(options, spec, kLog));
  protobuf::Writer dump;
  criu.describe(options, dump);
  describe_dump(options, state, spec, dump);
  if (!options.pre_dump) TRY(name_externals(state, spec, criu.images(), dump));
  Arena arena;
  const CriuProcess process = TRY(CriuProcess::start(criu, options, arena));
  const CriuRequest request = options.pre_dump ? CriuRequest::single_pre_dump : CriuRequest::dump;
  TRY(criu.perform(request, dump, [&](std::string_view action, pid_t, Fd) -> Status {
    if (action != "status-ready" || options.status_fd < 0) return {};
    return sys::write_all(options.status_fd, std::string_view("\0", 1)).ctx("the status descriptor");
  }));
  return {};
}

Result<ContainerStatus> check_status(const Context& context, int directory, const State& state) {
  const ContainerStatus status = TRY(find_status(context, directory, state));
  if (status == ContainerStatus::running || status == ContainerStatus::paused) return status;
  return Error::of(ErrorKind::in_use, "cannot checkpoint a container that is not running: %s",
                   to_string(status));
}

/// A criu that was killed leaves the processes frozen.
void thaw(const Context& context, const State& state) {
  const Result<std::unique_ptr<Cgroup>> cgroup = open_cgroup(context, state.cgroup);
  if (!cgroup.ok()) return;
  const Result<bool> frozen = cgroup.value()->frozen();
  if (frozen.ok() && frozen.value()) (void)cgroup.value()->freeze(false).ok();
}

}  // namespace

Status checkpoint(const Context& context, std::string_view id, const CheckpointOptions& options) {
  const Fd directory = TRY(open_container(context, id));
  // Of two calls at once one finds the container gone.
  if (flock(directory.get(), LOCK_EX) < 0) return Error::sys(errno, "lock the container");
  const State state = TRY(read_state(directory.get(), id));
  const ContainerStatus status = TRY(check_status(context, directory.get(), state));
  Arena arena;
  const oci::Spec* const spec = TRY(load_spec(context, id, arena));
  if (!has_own_mounts(*spec))
    return Error::of(ErrorKind::unsupported,
                     "criu cannot checkpoint a container without a mount namespace of its own");
  TRY(check_parent(options));
  TRY(make_directories(options));
  Status performed = perform(options, state, *spec);
  if (!performed.ok() && status == ContainerStatus::running) thaw(context, state);
  TRY(std::move(performed));
  if (options.leave_running || options.pre_dump) return {};
  return delete_container(context, id, true);
}

}  // namespace slipway::runtime
