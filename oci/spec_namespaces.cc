// Namespaces, and what depends on them: mappings and sysctls.
#include "oci/names.h"
#include "oci/spec.h"
#include "oci/validate.h"

namespace slipway::oci {

namespace {

const Namespace* find_namespace(const Linux& section, std::string_view type) {
  for (const Namespace& ns : section.namespaces)
    if (ns.type == type) return &ns;
  return nullptr;
}

Status validate_user_namespace(const Linux& section, Warnings& warnings) {
  const Namespace* user = find_namespace(section, "user");
  const bool uids = !section.uid_mappings.empty();
  const bool gids = !section.gid_mappings.empty();
  // runc and crun do not even say so.
  if (!user && (uids || gids))
    warn(warnings, "linux.%s: user namespace mappings specified, but user namespace isn't enabled, ignored",
         uids ? "uidMappings" : "gidMappings");
  if (!user || !user->path.empty()) return {};
  if (!uids)
    return Error::of(ErrorKind::invalid,
                     "linux.uidMappings: user namespaces enabled, but no uid mappings found");
  if (!gids)
    return Error::of(ErrorKind::invalid,
                     "linux.gidMappings: user namespaces enabled, but no gid mappings found");
  return {};
}

Str with_swapped_separators(std::string_view name, Arena& arena) {
  const Str copy = arena.copy(name);
  for (char* p = const_cast<char*>(copy.data); *p; ++p) *p = *p == '/' ? '.' : *p == '.' ? '/' : *p;
  return copy;
}

bool any_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (std::string_view word : words)
    if (text == word) return true;
  return false;
}

/// The namespace that a sysctl belongs to, or "" when changing it would change the host.
std::string_view namespace_of_sysctl(std::string_view name) {
  if (name.starts_with("fs.mqueue.") ||
      any_of(name, {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall",
                    "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced", "kernel.msg_next_id",
                    "kernel.sem_next_id", "kernel.shm_next_id", "kernel.auto_msgmni"}))
    return "ipc";
  if (name.starts_with("net.")) return "network";
  if (name == "kernel.domainname") return "uts";
  if (name.starts_with("user.")) return "user";
  return "";
}

/// Whether every part of the path is a plain name: none could leave the directory.
bool is_plain_path(std::string_view path) {
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

Status validate_namespaces(const Spec& spec, Warnings& warnings) {
  const List<Namespace> list = spec.linux_->namespaces;
  for (uint32_t i = 0; i < list.count; ++i) {
    const Namespace& ns = list[i];
    if (!find_name(kNamespaceNames, ns.type))
      return Error::of(ErrorKind::invalid, "linux.namespaces[%u].type: unknown namespace \"%.*s\"", i,
                       shown(ns.type), ns.type.c_str());
    if (!ns.path.empty() && !is_absolute(ns.path))
      return Error::of(ErrorKind::invalid, "linux.namespaces[%u].path: \"%.*s\" is not an absolute path", i,
                       shown(ns.path), ns.path.c_str());
    for (uint32_t k = 0; k < i; ++k)
      if (list[k].type == ns.type.view())
        return Error::of(ErrorKind::invalid, "linux.namespaces: duplicated namespace \"%s\"",
                         ns.type.c_str());
  }
  return validate_user_namespace(*spec.linux_, warnings);
}

Str sysctl_path(std::string_view name, Arena& arena) {
  const size_t first = name.find_first_of("./");
  const bool dots = first != std::string_view::npos && name[first] == '.';
  return dots ? with_swapped_separators(name, arena) : arena.copy(name);
}

Status validate_sysctl(const Spec& spec) {
  Arena arena;
  for (const Entry<Str>& entry : spec.linux_->sysctl) {
    const Str path = sysctl_path(entry.key, arena);
    const Str name = with_swapped_separators(path, arena);
    const auto refuse = [&](const char* why) {
      return Error::of(ErrorKind::invalid, "linux.sysctl: sysctl \"%.*s\" %s", shown(name), name.c_str(),
                       why);
    };
    if (!is_plain_path(path)) return refuse("is not a name");
    if (name == "kernel.hostname")
      return refuse("is not allowed as it conflicts with the OCI \"hostname\" field");
    const std::string_view owner = namespace_of_sysctl(name);
    if (owner.empty()) return refuse("is not in a separate kernel namespace");
    if (has_namespace(spec, owner)) continue;
    if (owner == "network") return refuse("not allowed in host network namespace");
    if (owner == "ipc") return refuse("is not allowed in the hosts ipc namespace");
    return refuse(owner == "uts" ? "is not allowed without a private UTS namespace"
                                 : "is not allowed without a private user namespace");
  }
  return {};
}

/// Without a mount namespace of its own a container sees and changes the mounts of the runtime's caller.
Status validate_mount_namespace(const Linux& section) {
  if (find_namespace(section, "mount")) return {};
  if (!section.masked_paths.empty() || !section.readonly_paths.empty())
    return Error::of(ErrorKind::invalid,
                     "linux.%s: unable to restrict sys entries without a private MNT namespace",
                     section.masked_paths.empty() ? "readonlyPaths" : "maskedPaths");
  if (!section.rootfs_propagation.empty())
    return Error::of(ErrorKind::invalid,
                     "linux.rootfsPropagation: unable to set it without a private MNT namespace");
  return {};
}

}  // namespace slipway::oci
