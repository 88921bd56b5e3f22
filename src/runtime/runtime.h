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
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci/spec.h"
#include "src/base/arena.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/runtime/cgroup.h"
#include "src/sys/mount_spec.h"

namespace slipway::runtime {

/// Where containers are kept and how cgroups are managed; the same for all calls of one program run.
struct Context {
  std::string root;              // absolute; /run/slip by default
  bool systemd_cgroup = false;   // --systemd-cgroup
  bool cgroup_disabled = false;  // --cgroup-manager disabled: the container stays in the caller's cgroups
  int patience_ms = 10'000;      // for the end of what was killed; it may be in uninterruptible sleep
};

/// What a new process of a container begins with; for init and for exec.
struct ProcessOptions {
  std::string pid_file;        // "" for none; written atomically, without a newline
  std::string console_socket;  // AF_UNIX path that gets the terminal's master; "" for none
  std::string pidfd_socket;    // AF_UNIX path that gets a pidfd of the process; "" for none
  int console_fd = -1;         // instead of a path: a connected socket that gets the master. Borrowed
  int stdio[3] = {0, 1, 2};    // what becomes its 0, 1, 2 when it has no terminal. Borrowed
  int preserve_fds = 0;        // descriptors 3 .. 3+n-1 stay open in the container
  int listen_fds = 0;          // so many of them, the first ones, are announced: LISTEN_FDS=n, LISTEN_PID=1
  bool detached = true;        // the caller will exit before the process does: a terminal needs a socket
};

struct CreateOptions : ProcessOptions {
  std::string bundle;                      // absolute path; recorded, and root.path is relative to it
  const sys::MountSpec* rootfs = nullptr;  // instead of root.path: mounted in the container's mount namespace
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool start = false;             // start it, too: create() and start() in one, and faster
  bool foreground_owner = false;  // the caller removes the container at its end; if it is killed, others may
};

struct ExecOptions : ProcessOptions {
  std::vector<SubCgroup> sub_cgroups;  // none: where init is
  bool ignore_paused = false;          // else a paused container is refused
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
  bool creating = false;        // the creator is still at work; for its hooks, which may ask
  pid_t pid = 0;                // init's, also after its end
  uint64_t pid_start_time = 0;  // clock ticks since boot, field 22 of /proc/PID/stat
  CgroupRecord cgroup;
  bool systemd_cgroup = false;
  bool foreground = false;      // CreateOptions::foreground_owner
  bool no_new_keyring = false;  // CreateOptions::no_new_keyring
  uint64_t root_mount = 0;      // in someone else's mount namespace: what was mounted on the rootfs
  std::string intel_rdt;        // directories of resctrl that go with the container: see intel_rdt.h
  std::vector<std::pair<std::string, std::string>> annotations;
  ContainerStatus status = ContainerStatus::stopped;
};

/// A process that was made: a child of the caller, who waits for it or exits.
struct Created {
  pid_t pid = 0;
  Fd pidfd;
  Fd terminal;   // the master, when the process has a terminal and no socket was to get it
  Fd ownership;  // CreateOptions::foreground_owner: kept open as long as the caller owns the container
  // For delete_own(), and only where nothing but this has to be known for it: create() has made a pid namespace,
  // whose processes have all ended when init has, and there are no poststop hooks.
  std::optional<State> state;
};

/// [A-Za-z0-9_+.-]+ and not beginning with a dot. invalid: "invalid ID format: `..`".
Status check_id(std::string_view id);

/// Builds the container and leaves its init waiting, or starts it, too. On failure nothing is left behind.
/// Errors: exists ("container with given ID already exists"), invalid, unsupported, not_executable and
/// command_not_found for the program, failed.
Result<Created> create(const Context& context, std::string_view id, const oci::Spec& spec,
                       std::string_view config_text, const CreateOptions& options);

/// Lets init execute the container's program, and runs the poststart hooks. in_use: "cannot start an already
/// running container", "cannot start a container that has stopped". What the program's execve says is
/// returned here, too.
Status start(const Context& context, std::string_view id);

/// Runs a further process in a container; returns when it has been executed. `process` is complete: see
/// exec_process(). The container's seccomp profile applies. in_use: "cannot exec in a stopped container",
/// "cannot exec in a paused container (use --ignore-paused to override)".
Result<Created> exec(const Context& context, std::string_view id, const oci::Process& process,
                     const ExecOptions& options);

/// The config.json of an existing container; lives in the arena.
Result<const oci::Spec*> load_spec(const Context& context, std::string_view id, Arena& arena);

/// "UID[:GID]" or names, looked up in the files of the container `id` (those of the host are never asked).
/// A part that is absent or empty is taken from `base` when the user is, too; a user without a group gets the
/// group of /etc/passwd, or 0. invalid: neither a number below 4294967295 nor a name that is there.
Result<oci::User> resolve_user(const Context& context, std::string_view id, std::string_view text,
                               const oci::User& base, Arena& arena);

/// Sees what the caller types on its terminal before the process does.
class TypedFilter {
 public:
  virtual ~TypedFilter() = default;
  /// Appends what the process gets of it; false when the caller wants to leave it alone.
  virtual bool pass(std::string_view typed, std::string* passed) = 0;
};

/// The caller of a process in the foreground: relays signals and the terminal until the process ends. Made
/// before create() or exec(), so that no signal and no child's end is lost.
class Foreground {
 public:
  /// Blocks all signals of the caller. `subreaper`: orphans of the container become the caller's children and
  /// are reaped.
  static Result<Foreground> begin(bool subreaper);
  Foreground(Foreground&& other) noexcept;
  Foreground& operator=(Foreground&&) = delete;
  /// Restores signals and the terminal.
  ~Foreground();

  /// Until the process ends: its exit code, 128 + N when signal N ended it. Or until `filter` leaves it: kLeft.
  Result<int> wait(Created& process, TypedFilter* filter = nullptr);
  static constexpr int kLeft = -1;

 private:
  explicit Foreground(Fd signals) : signals_(static_cast<Fd&&>(signals)) {}
  Fd signals_;
  unsigned long old_mask_[2] = {};
};

/// not_found: "container does not exist".
Result<State> load_state(const Context& context, std::string_view id);
/// The containers of this root, sorted by id. Entries that vanish meanwhile are left out.
Result<std::vector<State>> list_states(const Context& context);

/// Signals init; with `all` every process in the cgroup. in_use: "container not running".
Status kill(const Context& context, std::string_view id, int signal, bool all);

/// Removes a stopped or created container (created: init is killed first); with `force` any, and a missing
/// one is no error. Runs the poststop hooks.
Status delete_container(const Context& context, std::string_view id, bool force);
/// The same for the caller who has made the container and waited for its init: nothing is read again.
Status delete_own(const Context& context, std::string_view id, const Created& created);

Status pause(const Context& context, std::string_view id);
Status resume(const Context& context, std::string_view id);

}  // namespace slipway::runtime
