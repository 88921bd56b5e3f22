#include "src/manager/capabilities.h"

#include <fcntl.h>

#include <cstdlib>
#include <string>

#include "oci/names.h"
#include "src/sys/file.h"

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
    return Error::of(ErrorKind::usage, "invalid capability: \"%s\"", text.c_str());
  return name;
}

/// The highest capability that this kernel knows.
uint64_t last_capability() {
  auto text = sys::read_file_at(AT_FDCWD, "/proc/sys/kernel/cap_last_cap", 64);
  return text.ok() ? strtoull(text->c_str(), nullptr, 10) : 40;
}

}  // namespace

Result<List<Str>> effective_capabilities(const store::HostConfig& host, Arena& arena) {
  uint64_t set = 0;
  const auto bit = [](std::string_view name) { return 1ULL << *oci::find_name(oci::kCapabilityNames, name); };
  if (host.privileged) {
    set = ~0ULL;
  } else {
    for (const std::string_view name : kDefaults) set |= bit(name);
  }
  // ALL first: then --cap-drop ALL --cap-add X is X alone, and --cap-add ALL --cap-drop X all but X.
  uint64_t added = 0;
  uint64_t dropped = 0;
  for (const Str text : host.cap_add) {
    const std::string name = TRY(normalise(text));
    if (name == "ALL")
      set = ~0ULL;
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
  const uint64_t last = set == 0 || !(set >> 41) ? 40 : last_capability();
  ListBuilder<Str> names(arena);
  for (uint64_t i = 0; i <= last; ++i)
    if (const char* name = (set >> i & 1) ? oci::name_of(oci::kCapabilityNames, i) : nullptr)
      names.add(Str::wrap(name));
  return names.list();
}

}  // namespace slipway::manager
