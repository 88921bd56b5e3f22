// The names that config.json uses for the kernel's numbers: signals, capabilities, limits, namespaces,
// schedulers, seccomp's actions. Constant tables; no locale, no library.
#pragma once

#include <span>
#include <string_view>

#include "src/base/json.h"

namespace slipway::oci {

/// A name of config.json and the kernel's value for it.
struct Name {
  const char* name;
  uint64_t value;
};

/// The value of a name, exactly as it is spelled in the table.
Opt<uint64_t> find_name(std::span<const Name> table, std::string_view name);
/// The name of a value, or nullptr.
const char* name_of(std::span<const Name> table, uint64_t value);

extern const std::span<const Name> kNamespaceNames;     // "pid": CLONE_NEWPID
extern const std::span<const Name> kRlimitNames;        // "RLIMIT_NOFILE": RLIMIT_NOFILE
extern const std::span<const Name> kCapabilityNames;    // "CAP_KILL": 5; by number, without gaps
extern const std::span<const Name> kSchedulerPolicies;  // "SCHED_FIFO": SCHED_FIFO
extern const std::span<const Name> kSchedulerFlags;     // "SCHED_FLAG_RESET_ON_FORK": 1
extern const std::span<const Name> kIoClasses;          // "IOPRIO_CLASS_BE": 2
extern const std::span<const Name> kMemoryPolicyModes;  // "MPOL_BIND": 2
extern const std::span<const Name> kMemoryPolicyFlags;  // "MPOL_F_STATIC_NODES": 1 << 15
extern const std::span<const Name> kPersonalities;      // "LINUX32": PER_LINUX32
extern const std::span<const Name> kRootPropagations;   // "rslave": MS_SLAVE | MS_REC
extern const std::span<const Name> kSeccompActions;     // "SCMP_ACT_ERRNO": SECCOMP_RET_ERRNO, without data
extern const std::span<const Name> kSeccompFlags;       // "SECCOMP_FILTER_FLAG_LOG": 2
extern const std::span<const Name> kSeccompOperators;   // "SCMP_CMP_EQ": sys::SeccompCondition::Op
extern const std::span<const Name> kSeccompArchitectures;  // "SCMP_ARCH_X86_64": AUDIT_ARCH_*; 0: not Linux's
extern const std::span<const Name> kSignalNames;           // "TERM": 15, without SIG

/// "15", "TERM", "SIGTERM", "sigterm", "RTMIN+3", "SIGRTMAX-1". 0 is a signal too (it only checks).
/// ErrorKind::invalid: unknown signal "x".
Result<int> parse_signal(std::string_view text);

}  // namespace slipway::oci
