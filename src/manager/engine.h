// What makes and ends containers: the built-in runtime, or with --runtime PATH another OCI runtime, which is
// run as a program. Which one it is the container's record says; config.json in its directory is written for
// the other kind only.
#pragma once

#include <string_view>

#include "src/manager/launch.h"

namespace slipway::manager {

/// Makes the container and starts its program. In the monitor, which must be a subreaper. For another runtime
/// the root file system is mounted in a mount namespace of the monitor's own.
Result<runtime::Created> engine_create(store::Store& store, const Prepared& prepared,
                                       const runtime::CreateOptions& options);

/// Signals the container's init. in_use: it does not run.
Status engine_signal(store::Store& store, std::string_view id, int signal);
Status engine_pause(store::Store& store, std::string_view id, bool frozen);
inline constexpr int kNoStreams[3] = {-1, -1, -1};

/// How long the built-in runtime waits for the end of what it kills, in milliseconds.
inline constexpr int kPatience = 10'000;

/// Removes what is left of a container in the kernel and in the run directory; kills it if need be. On an error something of
/// it may live. command_not_found: its runtime is not there any more.
Status engine_delete(store::Store& store, std::string_view id, int patience_ms = kPatience);
/// Of a container that its own runtime cannot delete, and whose init has ended: kills what is in its cgroup, and removes that.
/// On an error something of it may live.
Status engine_forget(store::Store& store, std::string_view id);
/// The same for the monitor that has made it, when its init has ended.
Status engine_delete_own(store::Store& store, std::string_view id, const runtime::Created& created);

/// Where the limits and figures of a running container are. Of another runtime's: where its init is.
Result<runtime::CgroupRecord> engine_cgroup(store::Store& store, std::string_view id);

/// What the container was made of.
Result<const oci::Spec*> engine_spec(store::Store& store, std::string_view id, Arena& arena);

/// Runs a process in a container of another runtime, with this process's streams; its exit code.
Result<int> engine_exec(store::Store& store, std::string_view id, const oci::Process& process);

/// The same in the background. The process is nobody's child here, or that of a subreaper; with a terminal, its master is
/// the caller's. `stdio` are its streams, -1 for /dev/null.
Result<runtime::Created> engine_exec_detached(store::Store& store, std::string_view id,
                                              const oci::Process& process,
                                              const int (&stdio)[3] = kNoStreams);

/// Whether the container belongs to another runtime.
bool is_external(const store::Store& store, std::string_view id);

}  // namespace slipway::manager
