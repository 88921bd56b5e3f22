// The container's cgroup: where it is, what limits it has, who is in it. One class over three layouts (v1,
// hybrid, v2) and two managers (the file system itself; systemd over D-Bus).
//
// It is made by the parent while the child mounts. On v2 the directory is made before the clone, because
// clone3 puts the child into it (CLONE_INTO_CGROUP, 5.7): a write to cgroup.procs after an idle moment waits
// for an RCU grace period of about 12 ms.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oci/spec.h"
#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::runtime {

struct Context;

class Cgroup {
 public:
  enum class Layout : uint8_t { none, v1, hybrid, v2 };

  virtual ~Cgroup() = default;

  virtual Layout layout() const = 0;
  /// Below each hierarchy's root, as state.json keeps it: "/user.slice/ID" or, with systemd, the scope's
  /// path. Begins with "/".
  virtual const std::string& path() const = 0;
  /// systemd's scope, or "".
  virtual const std::string& scope() const = 0;
  /// Absolute directories by controller ("memory" -> "/sys/fs/cgroup/memory/ID"; v2: "" -> ...), as runc's
  /// state.json has them.
  virtual std::vector<std::pair<std::string, std::string>> directories() const = 0;

  /// Makes the v2 directory (v2 and hybrid) and returns it for CLONE_INTO_CGROUP; no descriptor where that
  /// does not apply (v1, systemd: the unit is made with the pid). Before the clone.
  virtual Result<Fd> prepare() = 0;
  /// Makes what is missing and puts `pid` into it. `in_v2`: the clone has put it into the directory of
  /// prepare() already. Refuses a cgroup that has processes in it already or is frozen ("container's cgroup
  /// is not empty: N process(es) found").
  virtual Status join(pid_t pid, bool in_v2) = 0;
  /// A further process (exec): joins where init is now. `sub` is a path below the container's own, or "".
  virtual Status join_exec(pid_t pid, pid_t init, std::string_view sub) = 0;
  /// The directory for CLONE_INTO_CGROUP of an exec on v2 and hybrid; no descriptor where that does not
  /// apply.
  virtual Result<Fd> exec_directory(pid_t init, std::string_view sub) = 0;

  /// Limits. Absent properties are left as they are. The error names the property and, where it is one, the
  /// file.
  virtual Status apply(const oci::Resources& resources) = 0;

  /// Returns when all processes are frozen (v2: cgroup.events; v1: freezer.state with its retries), or
  /// thawed.
  virtual Status freeze(bool frozen) = 0;
  virtual Result<bool> frozen() = 0;
  /// All processes in it and below.
  virtual Result<std::vector<pid_t>> processes() = 0;
  /// Sends the signal to all of them; SIGKILL by cgroup.kill where it exists (5.14).
  virtual Status signal_all(int signal) = 0;
  /// Whether the kernel's OOM killer ended something in it.
  virtual bool oom_killed() = 0;
  /// Removes it with everything below; kills what is still in it first. Missing ones are no error.
  virtual Status destroy() = 0;
};

/// Plans the cgroup of a container to be created; no side effects. With no rights over cgroups at all and no
/// limits asked for (rootless) the result has Layout::none and every call succeeds without doing anything.
Result<std::unique_ptr<Cgroup>> plan_cgroup(const Context& context, std::string_view id,
                                            const oci::Spec& spec);
/// The cgroup of an existing container, from what state.json recorded.
Result<std::unique_ptr<Cgroup>> open_cgroup(const Context& context, std::string_view id,
                                            const std::string& path, const std::string& scope);

}  // namespace slipway::runtime
