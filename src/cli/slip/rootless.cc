#include "src/cli/slip/rootless.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "src/runtime/user.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr size_t kFileLimit = 1U << 20;

/// `own` as 0, and behind it the ranges of subuid(5). A file that cannot be read gives nobody anything.
List<oci::IdMapping> own_and_subordinate_ids(const char* file, uint32_t own, Arena& arena) {
  ListBuilder<oci::IdMapping> maps(arena);
  maps.add({0, own, 1});
  const Result<std::string> text = sys::read_file_at(AT_FDCWD, file, kFileLimit);
  if (!text.ok()) return maps.list();
  const std::string names[] = {runtime::owner_name(geteuid()), std::to_string(geteuid())};
  uint32_t next = 1;
  for (std::string_view rest = text.value(); !rest.empty();) {
    const std::string line(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : line.size());
    const size_t colon = line.find(':');
    unsigned first, count;
    if (colon == std::string::npos || sscanf(line.c_str() + colon, ":%u:%u", &first, &count) != 2 ||
        count == 0)
      continue;
    if (line.compare(0, colon, names[0]) != 0 && line.compare(0, colon, names[1]) != 0) continue;
    maps.add({next, first, count});
    next += count;
  }
  return maps.list();
}

}  // namespace

void add_user_namespace(oci::Spec& spec, Arena& arena) {
  if (geteuid() == 0) return;
  if (!spec.linux_) spec.linux_ = arena.make<oci::Linux>();
  oci::Linux& section = *spec.linux_;
  ListBuilder<oci::Namespace> namespaces(arena);
  for (const oci::Namespace& one : section.namespaces) {
    if (one.type == "user" && !one.path.empty()) return;
    if (!(one.type == "user")) namespaces.add(one);
  }
  namespaces.add({"user", {}});
  section.namespaces = namespaces.list();
  if (!section.uid_mappings.empty() || !section.gid_mappings.empty()) return;
  section.uid_mappings = own_and_subordinate_ids("/etc/subuid", geteuid(), arena);
  section.gid_mappings = own_and_subordinate_ids("/etc/subgid", getegid(), arena);
}

}  // namespace slipway::cli
