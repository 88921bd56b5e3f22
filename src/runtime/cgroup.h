// The container's cgroup: where it is, what limits it has, who is in it. One class over three layouts (v1,
// hybrid, v2) and three managers (the file system itself; systemd over D-Bus; none).
//
// How a process gets in decides how long a start takes. Writing a pid to cgroup.procs takes the lock of all
// thread groups, and the first such write after an idle moment waits for an RCU grace period: 13 to 15 ms on
// 6.18. Two ways avoid the lock. On v2 the parent makes the directory first and clone3 puts the child into it
// (CLONE_INTO_CGROUP, 5.7). On v1 the child itself, while it has one thread, writes "0" to each hierarchy's
// `tasks`, which the parent has opened: the kernel takes no lock to move the calling thread (5.5), and nine
// hierarchies take 0.25 ms.
//
// A new container's v2 directory is made before the clone, by prepare(); its v1 directories, which take longer
// (1.2 ms for ten), after it and beside the child, which mounts meanwhile, by join().
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oci/spec.h"
#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cgroup.h"

namespace slipway::runtime {

struct Context;

/// Annotations of crun: a cgroup below the container's, for its process, without limits of its own (v2); and one below
/// systemd's scope that becomes the container's (v2, with systemd; empty: none).
inline constexpr char kDelegateAnnotation[] = "run.oci.delegate-cgroup";
inline constexpr char kSubgroupAnnotation[] = "run.oci.systemd.subgroup";

/// How a further process (exec) gets into a container's cgroups; made before the clone. All descriptors are
/// close-on-exec.
struct CgroupEntry {
  Fd v2;                  // for CLONE_INTO_CGROUP; none on v1
  std::vector<Fd> tasks;  // v1: the child calls child::enter_cgroups() with these (child_cgroup.h)

  /// Nothing to enter by: the parent calls join_exec() while the child waits for Note::joined.
  bool empty() const { return !v2 && tasks.empty(); }
};

/// What state.json keeps of a cgroup: enough to find it again, whoever asks and from wherever.
struct CgroupRecord {
  std::string path;                                              // see Cgroup::path()
  std::string scope;                                             // see Cgroup::scope()
  std::vector<std::pair<std::string, std::string>> directories;  // see Cgroup::directories()
};

/// A cgroup below the container's own, which must exist: for all hierarchies (controller ""), or on v1 for the one
/// that has the controller.
struct SubCgroup {
  std::string controller;
  std::string path;
};

class Cgroup {
 public:
  enum class Layout : uint8_t { none, v1, hybrid, v2 };

  virtual ~Cgroup() = default;

  virtual Layout layout() const = 0;
  /// Below the hierarchies' roots, as state.json keeps it: "/user.slice/ID" or, with systemd, the scope's
  /// path. Begins with "/"; "" with Layout::none. On v1, where cgroupsPath is relative or empty, the path is
  /// below the caller's own cgroup of each hierarchy and may differ between them: directories() has the
  /// truth.
  virtual const std::string& path() const = 0;
  /// systemd's scope or slice, or "".
  virtual const std::string& scope() const = 0;
  /// Absolute directories by controller ("memory" -> "/sys/fs/cgroup/memory/ID", "name=systemd" -> ...; ""
  /// is the v2 tree's), as runc's state.json has them in cgroup_paths.
  virtual std::vector<std::pair<std::string, std::string>> directories() const = 0;
  CgroupRecord record() const { return {path(), scope(), directories()}; }

  /// Before the clone: makes the v2 directory, enables controllers, and opens the directory for
  /// CLONE_INTO_CGROUP. No descriptor without a v2 tree, and with systemd, where the unit is made with the pid.
  /// Refuses a cgroup that has processes in it ("container's cgroup is not empty: N process(es) found") or is
  /// frozen.
  virtual Result<Fd> prepare() = 0;
  /// After the clone: makes the v1 directories, refusing as prepare() does, and gives out their `tasks` files,
  /// open for writing: the child calls enter_cgroups() with them, before unshare(CLONE_NEWCGROUP). `entered`:
  /// the clone was given CLONE_INTO_CGROUP with prepare()'s descriptor, so that on v2 nothing is left to do.
  /// With false (an old kernel, systemd) `pid` is written, or the unit started with it.
  virtual Result<std::vector<Fd>> join(pid_t pid, bool entered) = 0;
  /// For a further process (exec): where init is now, or in these ("..": refused). Works with every manager.
  virtual Result<CgroupEntry> exec_entry(pid_t init, const std::vector<SubCgroup>& subs) = 0;
  /// Moves the container's process into the cgroup of kDelegateAnnotation, when it has its cgroup namespace.
  virtual Status delegate_to(pid_t pid) = 0;
  /// Puts `pid` into what it did not enter itself; `entered` as for join().
  virtual Status join_exec(pid_t pid, pid_t init, const std::vector<SubCgroup>& subs, bool entered) = 0;

  /// Limits. Absent properties are left as they are. The error names the property and, where it is one, the
  /// file. After join().
  virtual Status apply(const oci::Resources& resources) = 0;

  /// Returns when all processes are frozen (v2: cgroup.events; v1: freezer.state with its retries), or
  /// thawed.
  virtual Status freeze(bool frozen) = 0;
  /// Whether the container itself was frozen, not one of its ancestors.
  virtual Result<bool> frozen() = 0;
  /// All processes in it and below.
  virtual Result<std::vector<pid_t>> processes() = 0;
  /// Sends the signal to all of them; SIGKILL by cgroup.kill where it exists (5.14), and frozen processes are
  /// thawed for it.
  virtual Status signal_all(int signal) = 0;
  /// How often the kernel's OOM killer ended something in it; 0 where nobody counts.
  virtual uint64_t oom_kills() = 0;
  /// Removes it with everything below; kills what is still in it first. Missing ones are no error.
  virtual Status destroy() = 0;
};

/// Plans the cgroup of a container to be created; no side effects. Keeps pointers into `spec`. With no rights
/// over cgroups at all and no limits asked for (rootless), or with the manager `disabled`, the result has
/// Layout::none and every call succeeds without doing anything.
Result<std::unique_ptr<Cgroup>> plan_cgroup(const Context& context, std::string_view id,
                                            const oci::Spec& spec,
                                            const std::vector<sys::CgroupHierarchy>& hierarchies);
/// The cgroup of an existing container, from what state.json recorded. No side effects, few system calls.
Result<std::unique_ptr<Cgroup>> open_cgroup(const Context& context, const CgroupRecord& record);

}  // namespace slipway::runtime
