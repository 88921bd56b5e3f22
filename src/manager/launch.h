// Starting a container: its monitor is told to, and answers when the container runs or why it does not.
#pragma once

#include <memory>
#include <string>

#include "oci/spec.h"
#include "src/manager/monitor_process.h"
#include "src/manager/network.h"
#include "src/manager/wire.h"
#include "src/runtime/runtime.h"
#include "src/store/record.h"
#include "src/store/store.h"
#include "src/sys/mount_spec.h"

namespace slipway::manager {

/// All that making the container needs. What it points to lives in its arena.
struct Prepared {
  Arena arena;
  store::Record* record = nullptr;
  oci::Spec* spec = nullptr;
  std::string config_text;
  sys::MountSpec rootfs;
  std::string bundle;  // the container's directory
  NetworkSession network;
};

/// Where the built-in runtime keeps what it knows of the store's containers.
runtime::Context runtime_context(const store::Store& store);

/// Reads the record and builds the spec; writes hosts, hostname and resolv.conf. `dir` is the container's
/// directory. Errors: as create() and start() of docker have them.
Result<std::unique_ptr<Prepared>> prepare(store::Store& store, std::string_view id, int dir);

struct StartOptions {
  uint8_t attach = 0;  // see LaunchOrder
  wire::WindowSize window;
};

struct Started {
  int pid = 0;      // of the container's init
  Fd conversation;  // with the monitor; output comes from here if it was asked for
};

/// The error that a kFailed message carries.
Error failure_from(std::string_view message);

/// Starts a container that does not run. `locked_dir` is its directory, locked: the lock is let go as soon as
/// the container runs or has failed. Errors: in_use, and all that making the container may say
/// (command_not_found, not_executable).
Result<Started> start_container(const store::Store& store, std::string_view id, Fd locked_dir,
                                const StartOptions& options);
/// The same with a monitor of this store that is there already.
Result<Started> start_container(MonitorProcess monitor, std::string_view id, Fd locked_dir,
                                const StartOptions& options);

}  // namespace slipway::manager
