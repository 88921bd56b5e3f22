#include "src/manager/capabilities.h"

#include <sys/prctl.h>

#include <string>

#include "oci/names.h"

namespace slipway::manager {

namespace {

constexpr std::string_view kDefaults[] = {
    "CAP_CHOWN",      "CAP_DAC_OVERRIDE", "CAP_FOWNER",      "CAP_FSETID",           "CAP_KILL",
    "CAP_SETGID",     "CAP_SETUID",       "CAP_SETPCAP",     "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",
    "CAP_SYS_CHROOT", "CAP_MKNOD",        "CAP_AUDIT_WRITE", "CAP_SETFCAP"};

/// "net_admin", "CAP_NET_ADMIN" as "CAP_NET_ADMIN"; "all" as "ALL".
Result<std::string> normalise(Str text) {
  std::string name;
  for (const char c : text.view()) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  if (name == "ALL" || name == "CAP_ALL") return std::string("ALL");
  if (!name.starts_with("CAP_")) name.insert(0, "CAP_");
  if (!oci::find_name(oci::kCapabilityNames, name))
    return Error::of(ErrorKind::invalid, "invalid capability: \"%s\"", text.c_str());
  return name;
}

/// Those that the kernel knows and that this process could give.
uint64_t all_capabilities() {
  uint64_t set = 0;
  for (int i = 0; i < 64; ++i) {
    const int known = prctl(PR_CAPBSET_READ, i, 0, 0, 0);
    if (known < 0) break;
    if (known) set |= 1ULL << i;
  }
  return set;
}

}  // namespace

Result<List<Str>> effective_capabilities(const store::HostConfig& host, Arena& arena) {
  uint64_t set = 0;
  const auto bit = [](std::string_view name) { return 1ULL << *oci::find_name(oci::kCapabilityNames, name); };
  if (host.privileged) {
    set = all_capabilities();
  } else {
    for (const std::string_view name : kDefaults) set |= bit(name);
  }
  // ALL first: then --cap-drop ALL --cap-add X is X alone, and --cap-add ALL --cap-drop X all but X.
  uint64_t added = 0;
  uint64_t dropped = 0;
  for (const Str text : host.cap_add) {
    const std::string name = TRY(normalise(text));
    if (name == "ALL")
      set = all_capabilities();
    else
      added |= bit(name);
  }
  for (const Str text : host.cap_drop) {
    const std::string name = TRY(normalise(text));
    if (name == "ALL")
      set = 0;
    else
      dropped |= bit(name);
  }
  if (!host.privileged) set = (set | added) & ~dropped;
  ListBuilder<Str> names(arena);
  for (uint64_t i = 0; i < 64; ++i)
    if (const char* name = (set >> i & 1) ? oci::name_of(oci::kCapabilityNames, i) : nullptr)
      names.add(Str::wrap(name));
  return names.list();
}

}  // namespace slipway::manager
