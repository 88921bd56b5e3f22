#include "src/cli/slip/capabilities.h"

#include <sys/prctl.h>

#include <string>

#include "oci/names.h"
#include "src/sys/cap.h"

namespace slipway::cli {

namespace {

constexpr uint64_t kAll = ~uint64_t{0};

uint64_t bit_of(const Str& name) {
  const Opt<uint64_t> number = oci::find_name(oci::kCapabilityNames, name);
  return number ? uint64_t{1} << *number : 0;
}

uint64_t bits_of(List<Str> names) {
  uint64_t bits = 0;
  for (const Str& name : names) bits |= bit_of(name);
  return bits;
}

uint64_t bounding_set() {
  uint64_t bits = 0;
  for (unsigned long number = 0; number < 64; ++number)
    if (prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1) bits |= uint64_t{1} << number;
  return bits;
}

}  // namespace

bool may_grant(const oci::Capabilities& asked) {
  const uint64_t all = bits_of(asked.bounding) | bits_of(asked.permitted) | bits_of(asked.inheritable);
  return (all & ~sys::permitted_capabilities()) == 0;
}

void leave_out_ungranted(oci::Process& process, bool own_user_namespace, Arena& arena,
                         oci::Warnings& warnings) {
  if (!process.capabilities) return;
  const bool all = own_user_namespace || may_grant(*process.capabilities);
  const uint64_t mine = all ? kAll : sys::permitted_capabilities();
  auto* const sets = arena.make<oci::Capabilities>();
  *sets = *process.capabilities;
  process.capabilities = sets;
  const auto limit = [&](const char* set, List<Str>& names, uint64_t to, const char* reason) {
    ListBuilder<Str> kept(arena);
    std::string lost;
    for (const Str& name : names) {
      if ((bit_of(name) & ~to) == 0)
        kept.add(name);
      else
        lost.append(lost.empty() ? "" : ", ").append(name);
    }
    names = kept.list();
    if (!lost.empty() && reason)
      warnings.add(arena.format("process.capabilities.%s: ignored, as %s: %s", set, reason, lost.c_str()));
    return bits_of(names);
  };
  constexpr char kNotMine[] = "not to be granted here";
  const uint64_t bounding = limit("bounding", sets->bounding, all ? kAll : bounding_set(), kNotMine);
  const uint64_t permitted = limit("permitted", sets->permitted, mine, kNotMine);
  limit("effective", sets->effective, permitted, "not permitted");
  const uint64_t inheritable =
      limit("inheritable", sets->inheritable, bounding & mine, "not in the bounding set");
  // Since CVE-2022-29162 podman and buildah name ambient ones and no inheritable ones, and mean nothing by it.
  limit("ambient", sets->ambient, permitted & inheritable,
        inheritable ? "not both permitted and inheritable" : nullptr);
}

bool has_user_namespace(const oci::Spec& spec) {
  if (!spec.linux_) return false;
  for (const oci::Namespace& one : spec.linux_->namespaces)
    if (one.type == "user") return true;
  return false;
}

}  // namespace slipway::cli
