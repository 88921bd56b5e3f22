// The runtime: containers as the kernel sees them. Used by `slip` and, in-process, by `slipway`.
//
// A container is a directory <root>/<id> (state.json, config.json, exec.fifo), a cgroup, and an init process.
// create() leaves it waiting on exec.fifo; start() lets it go; delete_container() removes what is left. The
// status is never stored: it follows from the kernel (pid and start time, freezer) and from exec.fifo.
//
// All functions may be called by several processes at once on one root. What a killed creator leaves is
// collected by the next command: see pending.h.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "oci/spec.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/mount_spec.h"

namespace slipway::runtime {

/// Where containers are kept and how cgroups are managed; the same for all calls of one program run.
struct Context {
  std::string root;              // absolute; /run/slip by default
  bool systemd_cgroup = false;   // --systemd-cgroup
  bool cgroup_disabled = false;  // --cgroup-manager disabled: the container stays in the caller's cgroups
};

struct CreateOptions {
  std::string bundle;          // absolute path; recorded, and root.path is relative to it
  std::string pid_file;        // "" for none; written atomically, without a newline
  std::string console_socket;  // AF_UNIX path that gets the terminal's master; "" for none
  int console_fd = -1;         // instead of a path: a connected socket that gets it. Borrowed
  const sys::MountSpec* rootfs =
      nullptr;               // instead of root.path: mounted inside the container's mount namespace
  int stdio[3] = {0, 1, 2};  // what becomes the container's 0, 1, 2 when it has no terminal. Borrowed
  int preserve_fds = 0;      // descriptors 3 .. 3+n-1 stay open in the container
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool detached = true;           // the caller will exit before the container does
  bool foreground_owner = false;  // the caller removes the container at its end; if it is killed, others may
};

/// The init process, right after create().
struct Created {
  pid_t pid = 0;
  Fd pidfd;
};

enum class ContainerStatus : uint8_t { creating, created, running, paused, stopped };
const char* to_string(ContainerStatus status);

/// What state.json holds, and the status at the time of the call.
struct State {
  std::string id;
  std::string bundle;
  std::string rootfs;
  std::string created;  // RFC 3339, nanoseconds, UTC
  std::string owner;
  pid_t pid = 0;                // init's, also after its end
  uint64_t pid_start_time = 0;  // clock ticks since boot, field 22 of /proc/PID/stat
  std::string cgroup_path;      // below each hierarchy's root
  bool systemd_cgroup = false;
  std::vector<std::pair<std::string, std::string>> annotations;
  ContainerStatus status = ContainerStatus::stopped;
};

/// [A-Za-z0-9_+.-]+, not starting with a dot... "." and ".." are refused.
Status check_id(std::string_view id);

/// Builds the container and leaves its init waiting. On failure nothing is left behind.
/// Errors: exists ("container with given ID already exists"), invalid, unsupported, not_executable and
/// command_not_found for the program, failed.
Result<Created> create(const Context& context, std::string_view id, const oci::Spec& spec,
                       std::string_view config_text, const CreateOptions& options);

/// Lets init execute the container's program, and runs the poststart hooks.
Status start(const Context& context, std::string_view id);

/// not_found: "container does not exist".
Result<State> load_state(const Context& context, std::string_view id);
/// The containers of this root, sorted by id. Entries that vanish meanwhile are left out.
Result<std::vector<State>> list_states(const Context& context);

/// Signals init; with `all` every process in the cgroup. in_use: "container not running".
Status kill(const Context& context, std::string_view id, int signal, bool all);

/// Removes a stopped or created container (created: init is killed first); with `force` any, and a missing
/// one is no error. Runs the poststop hooks.
Status delete_container(const Context& context, std::string_view id, bool force);

Status pause(const Context& context, std::string_view id);
Status resume(const Context& context, std::string_view id);

}  // namespace slipway::runtime
