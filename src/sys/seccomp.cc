#include "src/sys/seccomp.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "src/base/fd.h"
#include "src/sys/file.h"

namespace slipway::sys {

namespace {

constexpr uint32_t kX32Bit = 0x40000000;

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

/// "SCMP_ARCH_X86_64" -> libseccomp's token; 0 when it does not know the name.
uint32_t architecture(std::string_view name) {
  constexpr std::string_view kPrefix = "SCMP_ARCH_";
  char lower[24] = {};
  if (!name.starts_with(kPrefix) || name.size() - kPrefix.size() >= sizeof lower) return 0;
  name.remove_prefix(kPrefix.size());
  std::transform(name.begin(), name.end(), lower,
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return seccomp_arch_resolve_name(lower);
}

scmp_compare comparison(SeccompCondition::Op op) {
  switch (op) {
    case SeccompCondition::Op::not_equal:
      return SCMP_CMP_NE;
    case SeccompCondition::Op::less:
      return SCMP_CMP_LT;
    case SeccompCondition::Op::less_or_equal:
      return SCMP_CMP_LE;
    case SeccompCondition::Op::equal:
      return SCMP_CMP_EQ;
    case SeccompCondition::Op::greater_or_equal:
      return SCMP_CMP_GE;
    case SeccompCondition::Op::greater:
      return SCMP_CMP_GT;
    case SeccompCondition::Op::masked_equal:
      return SCMP_CMP_MASKED_EQ;
  }
  return SCMP_CMP_EQ;
}

Error failure(int negative, const char* what, std::string_view name) {
  return Error::sys(-negative, "%s `%.*s`", what, static_cast<int>(name.size()), name.data());
}

Result<std::vector<uint32_t>> add_architectures(void* filter, List<Str> names) {
  std::vector<uint32_t> all = {seccomp_arch_native()};
  for (Str name : names) {
    const uint32_t arch = architecture(name);
    if (!arch)
      return Error::of(ErrorKind::unsupported, "linux.seccomp.architectures: libseccomp does not know `%s`",
                       name.c_str());
    const int rc = seccomp_arch_add(filter, arch);
    if (rc == -EEXIST) continue;
    if (rc < 0) return failure(rc, "linux.seccomp.architectures: add", name);
    all.push_back(arch);
  }
  return all;
}

Status add_rule(void* filter, const SeccompRule& rule) {
  scmp_arg_cmp comparisons[6] = {};
  const uint32_t count = std::min(rule.conditions.count, 6U);
  for (uint32_t i = 0; i < count; ++i) {
    const SeccompCondition& condition = rule.conditions[i];
    comparisons[i] = {condition.index, comparison(condition.op), condition.value, condition.other};
  }
  for (Str name : rule.names) {
    const int number = seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) continue;
    const int rc = seccomp_rule_add_array(filter, rule.action, number, count, comparisons);
    // The same rule twice, as generated profiles have it.
    if (rc < 0 && rc != -EEXIST) return failure(rc, "linux.seccomp.syscalls: add a rule for", name);
  }
  return {};
}

/// The program as libseccomp generates it. It writes to descriptors only (until 2.6).
Result<std::vector<sock_filter>> generated(void* filter) {
  const Fd file(memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) return Error::sys(errno, "memfd_create");
  if (const int rc = seccomp_export_bpf(filter, file.get()); rc < 0)
    return Error::sys(-rc, "generate the seccomp program");
  struct stat stat;
  if (fstat(file.get(), &stat) < 0) return Error::sys(errno, "seccomp program");
  std::vector<sock_filter> code(static_cast<size_t>(stat.st_size) / sizeof(sock_filter));
  const size_t size = code.size() * sizeof(sock_filter);
  if (pread(file.get(), code.data(), size, 0) != static_cast<ssize_t>(size))
    return Error::sys(errno, "read the seccomp program");
  return code;
}

/// The highest number that a call named in the profile has on an architecture; -1 when none is named.
int highest_call(const SeccompProfile& profile, uint32_t arch) {
  int highest = -1;
  for (const SeccompRule& rule : profile.rules)
    for (Str name : rule.names)
      highest = std::max(highest, seccomp_syscall_resolve_name_arch(arch, name.c_str()));
  return highest;
}

bool is_permissive(uint32_t action) {
  switch (action & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_TRACE:
      return true;
    default:
      return false;
  }
}

/// What stands in front of the program: calls younger than all that the profile names fail with ENOSYS. The
/// profile's author cannot have meant to forbid them, and libraries fall back to older calls at ENOSYS only.
///
///     load arch
///     for each architecture:  if it is another one, skip these:
///         load nr;  [x86_64: with the x32 bit, go to the program, or to x32's own limit]
///         if nr > limit, return ENOSYS;  go to the program
class EnosysStub {
 public:
  std::vector<sock_filter> make(const SeccompProfile& profile, const std::vector<uint32_t>& architectures) {
    emit(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
    int x32_limit = -1;
    for (uint32_t arch : architectures)
      if (arch == SCMP_ARCH_X32) x32_limit = highest_call(profile, arch);
    for (uint32_t arch : architectures) {
      if (arch == SCMP_ARCH_X32) continue;  // is AUDIT_ARCH_X86_64 to the kernel
      const int limit = highest_call(profile, arch);
      if (limit < 0) continue;
      if (arch == SCMP_ARCH_X86_64)
        x86_64(static_cast<uint32_t>(limit), x32_limit);
      else
        plain(arch, static_cast<uint32_t>(limit));
    }
    finish();
    return std::move(code_);
  }

 private:
  void emit(unsigned code, uint32_t k, uint8_t yes = 0, uint8_t no = 0) {
    code_.push_back({static_cast<uint16_t>(code), yes, no, k});
  }
  void return_enosys() { emit(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS); }
  void to_program() {
    jumps_.push_back(code_.size());
    emit(BPF_JMP | BPF_JA, 0);
  }
  void plain(uint32_t arch, uint32_t limit) {
    emit(BPF_JMP | BPF_JEQ | BPF_K, arch, 0, 4);
    emit(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    emit(BPF_JMP | BPF_JGT | BPF_K, limit, 0, 1);
    return_enosys();
    to_program();
  }
  void x86_64(uint32_t limit, int x32_limit) {
    emit(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 7);
    emit(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    emit(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 0, 2);
    // x32 numbers carry the bit in libseccomp, too. Without x32 in the profile the program refuses them.
    emit(BPF_JMP | BPF_JGT | BPF_K, x32_limit < 0 ? UINT32_MAX : static_cast<uint32_t>(x32_limit) | kX32Bit,
         2, 0);
    to_program();
    emit(BPF_JMP | BPF_JGT | BPF_K, limit, 0, 1);
    return_enosys();
    to_program();
  }
  void finish() {
    for (size_t at : jumps_) code_[at].k = static_cast<uint32_t>(code_.size() - at - 1);
  }

  std::vector<sock_filter> code_;
  std::vector<size_t> jumps_;
};

}  // namespace

Result<SeccompProgram> compile_seccomp(const SeccompProfile& profile) {
  const Filter filter(seccomp_init(profile.default_action));
  if (!filter) return Error::of(ErrorKind::invalid, "linux.seccomp.defaultAction: libseccomp refuses it");
  // A binary tree instead of a list (2.5): the kernel walks the program once per call number when it is
  // loaded, and at calls that are not always allowed.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  const std::vector<uint32_t> architectures = TRY(add_architectures(filter.get(), profile.architectures));
  for (const SeccompRule& rule : profile.rules)
    if (rule.action != profile.default_action) TRY(add_rule(filter.get(), rule));
  SeccompProgram program;
  program.flags = profile.flags;
  program.notify = profile.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
  const bool answers_enosys = profile.default_action == (SECCOMP_RET_ERRNO | ENOSYS);
  if (!is_permissive(profile.default_action) && !answers_enosys)
    program.code = EnosysStub().make(profile, architectures);
  const std::vector<sock_filter> body = TRY(generated(filter.get()));
  program.code.insert(program.code.end(), body.begin(), body.end());
  if (program.code.size() > BPF_MAXINSNS)
    return Error::of(ErrorKind::unsupported,
                     "linux.seccomp: the program has %zu instructions, the kernel takes %d",
                     program.code.size(), BPF_MAXINSNS);
  return program;
}

bool is_seccomp_architecture(std::string_view name) {
  return architecture(name) != 0;
}

bool is_seccomp_call(const char* name) {
  return seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR;
}

std::string seccomp_library_version() {
  const scmp_version* version = seccomp_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->micro);
}

bool kernel_has_seccomp_action(uint32_t action) {
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool kernel_has_seccomp_flag(uint32_t flag) {
  // Flags are looked at before the program: EFAULT says that they are fine.
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, nullptr) < 0 && errno == EFAULT;
}

}  // namespace slipway::sys
