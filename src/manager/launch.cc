#include "src/manager/launch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/manager/container_files.h"
#include "src/manager/identity.h"
#include "src/manager/identity_cache.h"
#include "src/manager/init_program.h"
#include "src/manager/network.h"
#include "src/manager/observe.h"
#include "src/manager/spec.h"
#include "src/store/containers.h"
#include "src/sys/mount.h"

namespace slipway::manager {

namespace {

Result<Identity> identity_of(const store::Store& store, drivers::Driver& driver, const store::Record& record,
                             int dir, Arena& arena) {
  const bool pristine = faccessat(dir, "state.json", F_OK, 0) != 0 && faccessat(dir, "changed", F_OK, 0) != 0;
  if (pristine)
    if (const Opt<Identity> known = remembered_identity(store, record, arena)) return *known;
  const sys::MountSpec rootfs = TRY(driver.mounts(record.id));
  const Fd root = TRY(sys::mount_detached(rootfs).ctx("mount the root file system"));
  const Identity identity = TRY(find_identity(root.get(), record.config.user, record.host.group_add, arena));
  if (pristine) remember_identity(store, record, identity);
  return identity;
}

}  // namespace

Error failure_from(std::string_view message) {
  wire::Failure failure;
  if (message.size() < 1 + sizeof failure)
    return Error::of(ErrorKind::failed, "the monitor ended before the container ran");
  memcpy(&failure, message.data() + 1, sizeof failure);
  const std::string text(message.substr(1 + sizeof failure));
  return Error::of(static_cast<ErrorKind>(failure.kind), "%s", text.c_str());
}

runtime::Context runtime_context(const store::Store& store) {
  runtime::Context context;
  context.root = store.run_root() + "/runtime";
  return context;
}

Result<std::unique_ptr<Prepared>> prepare(store::Store& store, std::string_view id, int dir) {
  auto prepared = std::make_unique<Prepared>();
  Arena& arena = prepared->arena;
  store::Containers containers(store);
  prepared->record = TRY(containers.load(id, arena));
  const store::Record& record = *prepared->record;
  prepared->bundle = containers.path(id);
  drivers::Driver* driver = TRY(store.driver());
  const Identity identity = TRY(identity_of(store, *driver, record, dir, arena));
  // After that look at it: what mounts() says of a layer that is never synced holds for one mount.
  prepared->rootfs = TRY(driver->mounts(id));
  const Str init = record.host.init ? TRY(find_init_program(arena)) : Str();
  prepared->network = TRY(NetworkSession::open(store, record));
  TRY(write_container_files(store, dir, record, prepared->network));
  const std::string network_path = prepared->network.path();
  prepared->spec = TRY(build_spec({.store = store,
                                   .record = record,
                                   .user = identity.user,
                                   .home = identity.home,
                                   .dir = prepared->bundle,
                                   .network_path = arena.copy(network_path),
                                   .init_path = init,
                                   .arena = arena}));
  oci::Warnings warnings(arena);
  TRY(oci::validate_spec(*prepared->spec, warnings));
  // What older runtimes accept; nothing in the spec is newer.
  if (!record.host.runtime.empty()) prepared->spec->oci_version = "1.0.2";
  json::Writer writer;
  writer.value(oci::kSpecType, prepared->spec);
  prepared->config_text = writer.text();
  return prepared;
}

Result<Started> start_container(const store::Store& store, std::string_view id, Fd locked_dir,
                                const StartOptions& options) {
  return start_container(TRY(MonitorProcess::spawn(store)), id, std::move(locked_dir), options);
}

Result<Started> start_container(MonitorProcess monitor, std::string_view id, Fd locked_dir,
                                const StartOptions& options) {
  LaunchOrder order;
  order.attach = options.attach;
  order.window = options.window;
  id.copy(order.id, sizeof order.id - 1);
  TRY(monitor.launch(order, locked_dir.get()));
  char message[4096];
  const size_t size = TRY(wire::receive(monitor.socket(), message, sizeof message, true));
  if (size < 1 || message[0] != wire::kStarted) return failure_from({message, size});
  Started started;
  memcpy(&started.pid, message + 1, sizeof started.pid);
  started.conversation = std::move(monitor).conversation();
  return started;
}

}  // namespace slipway::manager
