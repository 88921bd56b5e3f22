// seccomp filters: a profile in the kernel's terms in, a BPF program out. The only user of libseccomp.
//
// A program is made by the parent, before the clone; the child only makes the system call (load_seccomp).
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "src/base/arena.h"
#include "src/base/result.h"

namespace slipway::sys {

/// What the kernel is given.
struct SeccompProgram {
  std::vector<sock_filter> code;
  uint32_t flags = 0;   // SECCOMP_FILTER_FLAG_*; with NEW_LISTENER, seccomp(2) returns the listener
  bool notify = false;  // NEW_LISTENER is among the flags
};

/// One comparison of a system call's argument.
struct SeccompCondition {
  enum class Op : uint8_t { not_equal, less, less_or_equal, equal, greater_or_equal, greater, masked_equal };
  uint32_t index = 0;  // 0 to 5
  Op op = Op::equal;
  uint64_t value = 0;  // masked_equal: the mask
  uint64_t other = 0;  // masked_equal: what the masked argument must be
};

/// What happens at a system call when all conditions hold.
struct SeccompRule {
  List<Str> names;
  uint32_t action = 0;                // SECCOMP_RET_*, with its data
  List<SeccompCondition> conditions;  // no index twice
};

struct SeccompProfile {
  uint32_t default_action = 0;  // SECCOMP_RET_*, with its data
  List<Str> architectures;      // beside the machine's own: "SCMP_ARCH_X86"
  List<SeccompRule> rules;
  uint32_t flags = 0;  // SECCOMP_FILTER_FLAG_*
};

/// Compiles it. Names that this machine's libseccomp does not know are left out, as are rules whose action is
/// the default one. System calls younger than all that the profile names fail with ENOSYS where the default
/// action is an error or worse, so that libraries fall back to older calls instead of giving up at EPERM.
Result<SeccompProgram> compile_seccomp(const SeccompProfile& profile);

/// Whether libseccomp knows the architecture.
bool is_seccomp_architecture(std::string_view name);
/// Whether libseccomp knows the system call, of whatever architecture.
bool is_seccomp_call(const char* name);
/// "2.5.4"; part of the key under which programs are cached, and of `features`.
std::string seccomp_library_version();
/// Actions, and filter flags, that the running kernel knows.
bool kernel_has_seccomp_action(uint32_t action);
bool kernel_has_seccomp_flag(uint32_t flag);

/// seccomp(2): 0, or the listener's descriptor, or -1 and errno. May be used between clone and exec. The
/// caller has no_new_privs set or CAP_SYS_ADMIN in its user namespace.
inline int load_seccomp(const sock_filter* code, size_t length, uint32_t flags) {
  sock_fprog program = {};
  program.len = static_cast<unsigned short>(length);
  program.filter = const_cast<sock_filter*>(code);
  return static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

}  // namespace slipway::sys
