// `update`: limits and the restart policy of containers that exist, running or not.
#include <algorithm>

#include "src/cli/slipway/container_options.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/engine.h"
#include "src/manager/events.h"
#include "src/manager/observe.h"
#include "src/manager/spec.h"
#include "src/runtime/cgroup.h"
#include "src/store/containers.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions =
    pick(kContainerOptions, "memory", "memory-swap", "memory-reservation", "cpus", "cpu-shares", "cpu-period",
         "cpu-quota", "cpuset-cpus", "cpuset-mems", "pids-limit", "blkio-weight", "restart");

/// What was not given stays as the record has it.
Status merge(const Call& call, store::HostConfig& host) {
  store::HostConfig asked;
  TRY(read_update(call, asked));
  const Arguments& args = call.args;
  if (args.given("memory")) host.memory = asked.memory;
  if (args.given("memory-swap")) host.memory_swap = asked.memory_swap;
  if (args.given("memory-reservation")) host.memory_reservation = asked.memory_reservation;
  if (args.given("cpus")) host.nano_cpus = asked.nano_cpus;
  if (args.given("cpu-shares")) host.cpu_shares = asked.cpu_shares;
  if (args.given("cpu-period")) host.cpu_period = asked.cpu_period;
  if (args.given("cpu-quota")) host.cpu_quota = asked.cpu_quota;
  if (args.given("cpuset-cpus")) host.cpuset_cpus = asked.cpuset_cpus;
  if (args.given("cpuset-mems")) host.cpuset_mems = asked.cpuset_mems;
  if (args.given("pids-limit")) host.pids_limit = asked.pids_limit;
  if (args.given("blkio-weight")) host.blkio_weight = asked.blkio_weight;
  if (args.given("restart")) host.restart_policy = asked.restart_policy;
  if (host.memory > 0 && host.memory_swap > 0 && host.memory_swap < host.memory)
    return Error::of(ErrorKind::invalid,
                     "Memory limit should be smaller than already set memoryswap limit, update the "
                     "memoryswap at the same time");
  if (args.given("restart") && host.auto_remove && host.restart_policy.name != "no")
    return Error::of(ErrorKind::invalid,
                     "Restart policy cannot be updated because AutoRemove is enabled for the container");
  return {};
}

Status update_one(const Call& call, store::Store& store, std::string_view name) {
  store::Containers containers(store);
  const std::string id = TRY(containers.find(name));
  const Fd lock = TRY(containers.lock(id));
  store::Record* record = TRY(containers.load(id, call.arena));
  const store::HostConfig before = record->host;
  TRY(merge(call, record->host));
  const manager::Observed observed = TRY(manager::observe(store, id, call.arena));
  if (observed.is_running()) {
    const runtime::CgroupRecord where = TRY(manager::engine_cgroup(store, id));
    const auto cgroup = TRY(runtime::open_cgroup(manager::runtime_context(store), where));
    oci::Resources* resources = TRY(manager::spec_resources(record->host, call.arena));
    resources->devices = {};  // stay as they are
    // Noted first: on a full disk the kernel must not have limits that the record has not.
    TRY(containers.save_record(lock.get(), *record));
    Status applied = cgroup->apply(*resources);
    if (!applied.ok()) {
      record->host = before;
      (void)containers.save_record(lock.get(), *record);
      return applied;
    }
  } else {
    TRY(containers.save_record(lock.get(), *record));
  }
  manager::container_event(store, "update", *record);
  return print(std::string(name) + "\n");
}

Result<int> run(const Call& call) {
  if (std::none_of(kOptions.begin(), kOptions.end(),
                   [&](const Option& option) { return call.args.given(option.name); }))
    return Error::of(ErrorKind::invalid, "you must provide one or more flags when using this command");
  store::HostConfig unused;
  TRY(read_update(call, unused));
  const auto store = TRY(open_store(call));
  return for_each_argument(call, [&](std::string_view name) { return update_one(call, *store, name); });
}

constexpr Verb kVerb = {"update",
                        "CONTAINER...",
                        "Change the limits of containers",
                        kOptions,
                        1,
                        kNoLimit,
                        false,
                        run,
                        "update -m 512m --cpus 1.5 web"};

}  // namespace

const Verb kUpdate = kVerb;
const Verb kContainerUpdate = as("container update", kVerb);

}  // namespace slipway::cli
