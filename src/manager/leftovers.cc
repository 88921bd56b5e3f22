#include "src/manager/leftovers.h"

#include <unistd.h>

#include "src/manager/engine.h"
#include "src/manager/events.h"
#include "src/manager/exit.h"
#include "src/manager/network.h"
#include "src/manager/observe.h"
#include "src/manager/pause.h"
#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/store/lock.h"
#include "src/store/removal.h"
#include "src/sys/remove_tree.h"

namespace slipway::manager {

namespace {

/// Milliseconds: what does not die of a kill by then is in uninterruptible sleep, and no command waits for that.
constexpr int kBriefly = 100;

enum class Verdict : uint8_t { keep, remove };

/// The end of a container whose monitor did not live to see it. `dir` is the container's, locked.
void note_end(store::Store& store, const store::Record& record, int dir, store::State& state) {
  const std::string now = store::now_rfc3339();
  state.finished_at = Str::wrap(now.c_str());
  (void)store::Containers(store).save_state(dir, state);
  container_event(store, "die", record, {{"exitCode", std::to_string(state.exit_code)}});
  volume_events(store, "unmount", record);
  (void)engine_delete(store, record.id, kBriefly);
  collect_session(store, record.id);
  auto driver = store.driver();
  if (driver.ok()) (void)(*driver)->release(record.id);
}

/// Looks at the container that a directory in monitors/ is for. Whoever starts or removes one holds its lock until its
/// monitor has the lock on the directory.
Result<Verdict> judge(store::Store& store, const std::string& id) {
  const std::string monitor = monitor_dir(id);
  // In this order: it goes from pending/ to containers/, and then there is nobody who needs the directory.
  if (faccessat(store.root_fd(), ("pending/" + id).c_str(), F_OK, 0) == 0) return Verdict::keep;
  auto lock =
      store::try_lock_directory(store.root_fd(), ("containers/" + id).c_str(), store::LockMode::exclusive);
  if (!lock.ok() && lock.error().kind() == ErrorKind::not_found) {
    (void)sys::remove_tree(store.run_fd(), monitor.c_str());
    return Verdict::keep;
  }
  end_abandoned_pause(store, id);
  const std::optional<Fd> container = TRY(std::move(lock));
  if (!container) return Verdict::keep;
  // Let go at once: observe() asks the same question, and the container's lock keeps the answer true.
  if (!TRY(store::try_lock_directory(store.run_fd(), monitor.c_str(), store::LockMode::exclusive)))
    return Verdict::keep;
  Arena arena;
  const Observed observed = TRY(observe(store, id, arena));
  if (observed.is_running()) return Verdict::keep;
  const store::Record* record = TRY(store::Containers(store).load(id, arena));
  if (record->host.auto_remove) return Verdict::remove;
  if (observed.lost)
    note_end(store, *record, container->get(), *observed.state);
  else
    (void)engine_delete(store, id, kBriefly);  // a program that its monitor had started, but not yet recorded
  (void)sys::remove_tree(store.run_fd(), monitor.c_str());
  return Verdict::keep;
}

}  // namespace

Status collect_leftovers(store::Store& store) {
  TRY(store::Containers(store).collect());
  for (const std::string& id : TRY(store::list_directory(store.run_fd(), "monitors"))) {
    auto verdict = judge(store, id);
    // What another command removes meanwhile, or what cannot be read, is not this command's affair.
    if (verdict.ok() && *verdict == Verdict::remove)
      (void)remove_container(store, id, {.volumes = true, .patience_ms = kBriefly});
  }
  return {};
}

}  // namespace slipway::manager
