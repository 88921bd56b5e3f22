// The plan that a child walks: plain data, made by the parent before the clone. Every pointer leads into an
// arena of the parent, and means the same in the child.
//
// Some members are room that the child fills (it has its own copy of the memory): what is known only inside
// the container, such as the path of the program.
#pragma once

#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <type_traits>

#include "src/runtime/child.h"
#include "src/runtime/rootfs.h"

namespace slipway::runtime {

inline constexpr uint32_t kPathRoom = 4096;  // PATH_MAX, with its NUL

struct RlimitPlan {
  int resource = 0;
  rlimit limit = {};
  const char* name = "";
};

/// Bit N is capability N.
struct CapabilityPlan {
  uint64_t bounding = 0, effective = 0, permitted = 0, inheritable = 0, ambient = 0;
  int last = 0;  // the highest one of this kernel
};

struct SeccompPlan {
  const sock_filter* code = nullptr;  // null: no filter
  uint32_t length = 0;
  uint32_t flags = 0;
  bool notify = false;  // the parent wants the listener
};

/// struct sched_attr of linux/sched/types.h, which cannot be included beside glibc's sched.h.
struct SchedulerPlan {
  uint32_t size = 48;  // SCHED_ATTR_SIZE_VER0
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0, deadline = 0, period = 0;
};
static_assert(sizeof(SchedulerPlan) == 48);

struct MemoryPolicyPlan {
  bool set = false;
  int mode = 0;  // with its flags
  const unsigned long* nodes = nullptr;
  unsigned long bits = 0;
};

/// What a process of a container is; init's and exec's alike.
struct ProcessPlan {
  char* const* argv = nullptr;
  char** env = nullptr;          // ends with nullptr
  char** home_slot = nullptr;    // where HOME goes when the container's /etc/passwd is to tell it; or null
  char* home_text = nullptr;     // kPathRoom + 8 bytes for "HOME=..."
  const char* search_path = "";  // $PATH of the container
  char* program = nullptr;       // kPathRoom bytes: what execve gets
  const char* cwd = "/";

  uid_t uid = 0;
  gid_t gid = 0;
  const gid_t* groups = nullptr;
  uint32_t group_count = 0;
  bool keep_groups = false;  // annotation run.oci.keep_original_groups
  mode_t umask = 0022;

  CapabilityPlan capabilities;
  const RlimitPlan* rlimits = nullptr;
  uint32_t rlimit_count = 0;
  bool no_new_privileges = false;
  const char* apparmor = nullptr;  // profile, without "exec "
  const char* selinux = nullptr;   // label
  const SchedulerPlan* scheduler = nullptr;
  int io_priority = -1;  // as ioprio_set(2) takes it; -1: not set
  long personality = -1;
  MemoryPolicyPlan memory_policy;
  const uint8_t* initial_affinity = nullptr;  // CPU sets of kCpuSetSize bytes
  const uint8_t* final_affinity = nullptr;
  SeccompPlan seccomp;

  bool terminal = false;
  uint16_t rows = 0, columns = 0;  // 0: as the terminal comes
  int stdio[3] = {0, 1, 2};
  unsigned preserve_fds = 0;
};

inline constexpr unsigned kCpuSetSize = 128;  // CONFIG_NR_CPUS is at most 1024 where anyone runs this

/// A hook, ready to be executed by either side.
struct HookPlan {
  const char* path = nullptr;
  char* const* argv = nullptr;
  char* const* env = nullptr;  // null: that of its list
  int timeout_ms = -1;
  bool outlives_us = false;  // also when whoever runs it is killed
};

struct HookListPlan {
  const char* action = "";  // "error running createContainer hook"
  const HookPlan* hooks = nullptr;
  uint32_t count = 0;
  char* const* env = nullptr;    // null: the environment of whoever runs them
  const char* output = nullptr;  // file that stdout is appended to; or null
  const char* errors = nullptr;  // and stderr
  char* message = nullptr;       // kHookMessageRoom bytes for what went wrong
};
inline constexpr uint32_t kHookMessageRoom = 768;

/// The state that a hook reads, as JSON. The pid is unknown before the clone: `pid_room` spaces are kept free
/// at `pid_offset`.
struct HookStatePlan {
  char* text = nullptr;
  uint32_t size = 0;
  uint32_t pid_offset = 0;
};
inline constexpr uint32_t kPidRoom = 10;

struct NamespaceJoin {
  int fd = -1;
  uint64_t flag = 0;
  const char* name = "";
};

struct SysctlPlan {
  const char* path = "";  // below /proc/sys, with slashes
  const char* value = "";
};

/// Messages between the two sides; one packet each.
enum class Note : uint8_t {
  // from the child
  staged,    // the container's process is `value`; the sender was only its first stage
  mounted,   // waits for `hooked`: prestart and createRuntime hooks
  terminal,  // the master comes with it
  listener,  // the seccomp listener is descriptor `value` of the child
  built,     // nothing is left to mount; the rest goes on meanwhile
  ready,     // waits for `go` or `execute`
  failed,    // `failure` tells why; the child exits
  // from the parent; also `listener`: send it along
  adopted,  // `staged` was read: the container's process may speak for itself
  mapped,   // the maps of the user namespace are written; `value` is the child's pid as hooks see it
  joined,   // the cgroups are there, and entered as far as the parent can; with them, the v1 `tasks` files
  hooked,
  go,       // wait for start()
  execute,  // do not wait
};

/// A failed Outcome as it travels: text, because start() has not the plan's memory.
struct Failure {
  int32_t code = 0;
  ErrorKind kind = ErrorKind::failed;
  bool has_reason = false;  // else the errno's text belongs behind it
  char text[1024] = {};
};

struct Packet {
  Note note = Note::ready;
  int32_t value = 0;
  Failure failure;
};

/// A child that becomes the criu program.
struct CriuPlan {
  const char* program = "";
  char* const* argv = nullptr;
  // These are opened by the child, in its mount namespace, to be the descriptors of these numbers (which the parent has
  // taken): criu mounts in its work directory.
  const char* images = "";
  int images_fd = -1;
  const char* work = "";
  int work_fd = -1;
  int socket = -1;            // the same for criu's end of a socket pair; the other end goes to the parent
  const int* kept = nullptr;  // descriptors that stay open
  uint32_t kept_count = 0;
  const char* root = nullptr;   // restore: the container's root on the host; else null
  const char* root_place = "";  // a directory to mount it on
  bool read_only = false;       // root.readonly
  bool no_new_privileges = false;
};

struct ChildPlan {
  int parent = -1;  // the child's end of the socket pair

  const CriuPlan* criu =
      nullptr;  // then of the rest only the cgroups, the keyring and the standard descriptors count

  // Namespaces. New ones come with the clone; a cgroup namespace is unshared when the cgroup has been
  // entered.
  uint64_t clone_flags = 0;  // of the process itself, CLONE_NEW*
  bool two_stages = false;   // the first stage joins, and clones the process as its own sibling
  const NamespaceJoin* joins = nullptr;
  uint32_t join_count = 0;
  int container = -1;  // exec: pidfd of init; all of `container_flags` are joined by it
  uint64_t container_flags = 0;
  int container_root = -1;  // exec: to be entered by chroot(2), where the mount namespace has another root
  bool new_user_namespace = false;
  bool become_root = false;  // user namespace, new or joined: be its root while building
  bool new_cgroup_namespace = false;
  bool new_time_namespace = false;     // unshared and joined by the child
  const char* time_offsets = nullptr;  // text for timens_offsets
  // Unshared by the child, while the parent makes cgroups: it takes 0.6 ms, as long as all the rest of a clone.
  bool new_network_namespace = false;
  // In a user namespace, too: else the root of the mqueue file system belongs to nobody.
  bool new_ipc_namespace = false;
  bool wait_for_cgroup = false;  // for Note::joined, before anything needs the cgroups

  const int* cgroup_tasks = nullptr;  // exec: see child::enter_cgroups
  uint32_t cgroup_task_count = 0;
  uint64_t cgroup_flag = 0;

  const RootfsPlan* rootfs = nullptr;  // null: exec
  const char* hostname = nullptr;
  const char* domainname = nullptr;
  const SysctlPlan* sysctls = nullptr;
  uint32_t sysctl_count = 0;
  bool needs_proc = false;
  const char* keyring = nullptr;  // name of the session keyring to join; null: keep the caller's
  ProcessPlan process;

  bool ask_for_hooks = false;  // the parent has something to do when all is mounted
  // The parent may publish the container when it is built, so that it need not be waited for at the end. If the
  // rest fails, the container goes again.
  bool tell_built = false;
  HookListPlan create_container;
  HookListPlan start_container;
  HookStatePlan creating;
  HookStatePlan created;

  int start_fifo = -1;   // read: what start() writes
  int result_fifo = -1;  // written: a Failure, when the program cannot be executed
};

static_assert(std::is_trivially_copyable_v<ChildPlan>);
static_assert(std::is_trivially_copyable_v<Packet>);

namespace child {

/// The whole life of the child; after clone3 in the new process.
[[noreturn]] void run(ChildPlan& plan);

}  // namespace child
}  // namespace slipway::runtime
