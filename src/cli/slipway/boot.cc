// `system boot`: starts what restart policies want to run, after the machine has come up. There is no daemon
// that would remember: contrib/systemd/slipway-restart.service calls this once.
#include <fcntl.h>
#include <unistd.h>

#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/launch.h"
#include "src/manager/leftovers.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"

namespace slipway::cli {

namespace {

bool wants_to_run(const store::Record& record, const manager::Observed& observed, bool stopped_by_user) {
  const std::string_view policy = record.host.restart_policy.name;
  if (policy == "always") return true;
  if (stopped_by_user) return false;
  if (policy == "unless-stopped") return observed.status != store::ContainerStatus::created;
  return policy == "on-failure" && observed.status == store::ContainerStatus::exited &&
         observed.state->exit_code != 0;
}

Status boot_one(store::Store& store, const std::string& id) {
  store::Containers containers(store);
  Arena arena;
  Fd lock = TRY(containers.lock(id));
  const store::Record* record = TRY(containers.load(id, arena));
  const manager::Observed observed = TRY(manager::observe(store, id, arena));
  const bool stopped = faccessat(lock.get(), "stopped", F_OK, 0) == 0;
  if (observed.is_running() || observed.monitored || !wants_to_run(*record, observed, stopped)) return {};
  unlinkat(lock.get(), "stopped", 0);
  TRY(manager::start_container(store, id, std::move(lock), {}));
  return print(std::string(record->name.view()) + "\n");
}

Result<int> run(const Call& call) {
  const auto store = TRY(open_store(call));
  store::Containers containers(*store);
  TRY(manager::collect_leftovers(*store));
  int exit_code = 0;
  for (const std::string& id : TRY(containers.list())) {
    Status booted = boot_one(*store, id);
    if (booted.ok() || booted.error().kind() == ErrorKind::not_found) continue;
    call.log.fatal("slipway system boot", booted.error().text());
    exit_code = 1;
  }
  return exit_code;
}

}  // namespace

const Verb kSystemBoot = {
    "system boot", "",           "Start the containers that restart policies want to run", {}, 0, 0, false,
    run,           "system boot"};

}  // namespace slipway::cli
