#include "src/sys/bpf_device.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstddef>

#include "src/base/fd.h"

namespace slipway::sys {
namespace {

constexpr uint32_t kMaxPrograms = 64;  // what the kernel takes on one cgroup (BPF_CGROUP_MAX_PROGS)

// Registers of the program: 0 the answer, 1 the context, then what is asked about.
constexpr uint8_t kAnswer = 0, kContext = 1, kType = 2, kAccess = 3, kMajor = 4, kMinor = 5, kScratch = 6;

bpf_insn insn(int code, uint8_t to, uint8_t from, int16_t offset, int32_t value) {
  return {static_cast<uint8_t>(code), to, from, offset, value};
}
bpf_insn load(uint8_t to, size_t offset) {
  return insn(BPF_LDX | BPF_MEM | BPF_W, to, kContext, static_cast<int16_t>(offset), 0);
}
bpf_insn alu(int operation, uint8_t to, int32_t value) {
  return insn(BPF_ALU | operation | BPF_K, to, 0, 0, value);
}

class Assembler {
 public:
  Assembler() {
    code_ = {
        load(kType, offsetof(bpf_cgroup_dev_ctx, access_type)),
        alu(BPF_AND, kType, 0xffff),
        load(kAccess, offsetof(bpf_cgroup_dev_ctx, access_type)),
        alu(BPF_RSH, kAccess, 16),
        load(kMajor, offsetof(bpf_cgroup_dev_ctx, major)),
        load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor)),
    };
  }

  /// False when no rule behind this one can be reached, which the verifier does not take.
  bool add(const DeviceMatch& rule) {
    std::vector<size_t> misses;  // jumps to the next rule
    const auto unless_equal = [&](uint8_t reg, int64_t value) {
      misses.push_back(code_.size());
      code_.push_back(insn(BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, static_cast<int32_t>(value)));
    };
    if (rule.type != 'a') unless_equal(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    if (rule.major >= 0) unless_equal(kMajor, rule.major);
    if (rule.minor >= 0) unless_equal(kMinor, rule.minor);
    if (rule.access != kDeviceAll) {
      // Allowed: this much of what was asked for is settled; with nothing left, the answer is yes. Denied:
      // the answer is no if any of it is still open.
      uint8_t rest = kAccess;
      if (rule.allow) {
        code_.push_back(alu(BPF_AND, kAccess, static_cast<int32_t>(~rule.access & 0xffff)));
      } else {
        rest = kScratch;
        code_.push_back(insn(BPF_ALU | BPF_MOV | BPF_X, kScratch, kAccess, 0, 0));
        code_.push_back(alu(BPF_AND, kScratch, static_cast<int32_t>(rule.access)));
      }
      misses.push_back(code_.size());
      code_.push_back(insn(BPF_JMP | (rule.allow ? BPF_JNE : BPF_JEQ) | BPF_K, rest, 0, 0, 0));
    }
    answer(rule.allow);
    for (const size_t at : misses) code_[at].off = static_cast<int16_t>(code_.size() - at - 1);
    return !misses.empty();
  }

  void answer(bool allow) {
    code_.push_back(insn(BPF_ALU64 | BPF_MOV | BPF_K, kAnswer, 0, 0, allow ? 1 : 0));
    code_.push_back(insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
  }
  std::vector<bpf_insn> take() { return std::move(code_); }

 private:
  std::vector<bpf_insn> code_;
};

Result<Fd> load_program(std::span<const bpf_insn> program) {
  // Else libbpf loads programs of its own, only to find out whether the limit on locked memory still counts.
  libbpf_set_memlock_rlim(0);
  for (int tries = 0;; ++tries) {
    Fd loaded(
        bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, nullptr, "GPL", program.data(), program.size(), nullptr));
    if (loaded) return loaded;
    const int code = errno;
    if (code != EPERM || tries > 0) return Error::sys(code, "load the device filter");
    // Before 5.11 programs count as locked memory.
    const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_MEMLOCK, &unlimited) < 0) return Error::sys(code, "load the device filter");
  }
}

/// A flag of BPF_F_ALLOW_MULTI is needed where an ancestor has it, and lets descendants have filters too.
Status attach(int program, int cgroup, int replaced) {
  LIBBPF_OPTS(bpf_prog_attach_opts, options, .flags = BPF_F_ALLOW_MULTI);
  if (replaced >= 0) {
    options.flags |= BPF_F_REPLACE;
    options.replace_prog_fd = replaced;
  }
  if (bpf_prog_attach_opts(program, cgroup, BPF_CGROUP_DEVICE, &options) < 0)
    return Error::sys(errno, "attach the device filter");
  return {};
}

}  // namespace

std::vector<bpf_insn> device_program(std::span<const DeviceMatch> rules) {
  Assembler program;
  for (size_t i = rules.size(); i-- > 0;)
    if (!program.add(rules[i])) return program.take();
  program.answer(false);
  return program.take();
}

Status replace_device_program(int cgroup, std::span<const bpf_insn> program) {
  uint32_t ids[kMaxPrograms] = {}, count = kMaxPrograms;
  if (bpf_prog_query(cgroup, BPF_CGROUP_DEVICE, 0, nullptr, ids, &count) < 0)
    return Error::sys(errno, "list the device filters");
  std::vector<Fd> old;
  for (uint32_t i = 0; i < count; ++i)
    if (Fd fd(bpf_prog_get_fd_by_id(ids[i])); fd) old.push_back(std::move(fd));

  const Fd fresh = TRY(load_program(program));
  if (old.size() == 1 && attach(fresh.get(), cgroup, old[0].get()).ok()) return {};
  TRY(attach(fresh.get(), cgroup, -1));
  for (const Fd& fd : old)
    if (bpf_prog_detach2(fd.get(), cgroup, BPF_CGROUP_DEVICE) < 0 && errno != ENOENT)
      return Error::sys(errno, "detach the old device filter");
  return {};
}

}  // namespace slipway::sys
