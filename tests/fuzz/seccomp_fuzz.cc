// Any text as config.json with a seccomp profile: one that is valid gets a program that the kernel's checker would take
// (bpf_check_classic: no jump leads out of it, and it ends with a return), or an error.
#include <linux/filter.h>
#include <stdlib.h>

#include "oci/spec.h"
#include "src/runtime/seccomp.h"

using namespace slipway;

namespace {

void check_jumps(const std::vector<sock_filter>& code) {
  if (code.empty() || BPF_CLASS(code.back().code) != BPF_RET) abort();
  for (size_t i = 0; i < code.size(); ++i) {
    const sock_filter& at = code[i];
    if (BPF_CLASS(at.code) != BPF_JMP) continue;
    const size_t left = code.size() - i - 1;
    if (BPF_OP(at.code) == BPF_JA ? at.k >= left : at.jt >= left || at.jf >= left) abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Arena arena;
  oci::Warnings warnings(arena);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Result<oci::Spec*> spec = oci::parse_spec(text, arena, warnings);
  if (!spec.ok() || !oci::validate_spec(**spec, warnings).ok()) return 0;
  if (!(*spec)->linux_ || !(*spec)->linux_->seccomp) return 0;
  // Without a directory to cache programs in.
  auto program = runtime::seccomp_program(*(*spec)->linux_->seccomp, "/proc/none");
  if (program.ok()) check_jumps(program->code);
  return 0;
}
