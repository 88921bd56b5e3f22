// Mounts of type "cgroup" in config.json.
//
// v2: the file system itself, when the child has a cgroup namespace of its own: then it shows the container's
// cgroup as its root, and mounting costs nothing. In the host's namespace a new mount waits for an RCU grace
// period (6 to 13 ms) only to show what a bind of the host's tree shows; so that is bound.
//
// v1 and hybrid: a tmpfs with one directory per hierarchy that the caller is in, named as on the host, and
// links for the single controllers of a hierarchy that has several (cpu -> cpu,cpuacct).
#include <string>

#include "src/runtime/mount_plan.h"
#include "src/sys/kernel.h"

namespace slipway::runtime {
namespace {

constexpr char kRoot[] = "/sys/fs/cgroup";

/// Whether the v2 tree is all there is, at the usual place.
bool is_unified(const std::vector<sys::CgroupHierarchy>& hierarchies) {
  return hierarchies.size() == 1 && hierarchies[0].mount == kRoot;
}

/// The container's directory in the hierarchy of this controller; "" when it is not in it.
const char* directory_of(const PlanContext& context, std::string_view controller) {
  if (context.request.cgroup_directories)
    for (const auto& [name, directory] : *context.request.cgroup_directories)
      if (name == controller) return context.arena.copy(directory).c_str();
  return "";
}

PlannedMount unified_mount(const PlanContext& context, const PlannedMount& like, const char* destination,
                           const char* host) {
  const RootfsRequest& request = context.request;
  PlannedMount mount = like;
  mount.kind = PlannedMount::Kind::cgroup2;
  mount.type = "cgroup2";
  mount.source = "cgroup";
  mount.data = "";
  mount.destination = destination;
  mount.in_cgroups = true;
  if (request.own_cgroup_namespace) {
    mount.bind_instead = directory_of(context, "");
    // A user without rights over cgroups has no cgroup made; as with runc, nothing is mounted then.
    mount.may_be_missing = request.user_namespace;
    return mount;
  }
  mount.kind = PlannedMount::Kind::bind;
  mount.source = host;
  // Root of the host in a user namespace that maps its owner could write to the host's cgroups
  // (CVE-2023-25809).
  if (request.user_namespace) mount.attributes.set |= MOUNT_ATTR_RDONLY;
  return mount;
}

void add_links(PlanContext& context, const PlannedMount& like, std::string_view controllers) {
  if (controllers.find(',') == std::string_view::npos) return;
  const char* const target = context.arena.copy(controllers).c_str();
  while (!controllers.empty()) {
    const size_t comma = controllers.find(',');
    const std::string name(controllers.substr(0, comma));
    controllers = comma == std::string_view::npos ? "" : controllers.substr(comma + 1);
    PlannedMount link;
    link.kind = PlannedMount::Kind::link;
    link.source = target;
    link.destination = context.arena.format("%s/%s", like.destination, name.c_str()).c_str();
    context.mounts.add(link);
  }
}

void add_hierarchy(PlanContext& context, const PlannedMount& like, const sys::CgroupHierarchy& hierarchy) {
  const RootfsRequest& request = context.request;
  const std::string_view controllers = hierarchy.controllers;
  const bool unified = controllers.empty();
  const bool named = controllers.substr(0, 5) == "name=";
  const std::string name(unified ? "unified" : controllers.substr(named ? 5 : 0));
  // Not where all tools look for it: left out.
  if (hierarchy.mount != std::string(kRoot) + "/" + name) return;
  const char* const directory = directory_of(context, controllers.substr(0, controllers.find(',')));
  PlannedMount mount = like;
  mount.destination = context.arena.format("%s/%s", like.destination, name.c_str()).c_str();
  mount.in_cgroups = true;
  if (request.own_cgroup_namespace) {
    mount.kind = unified ? PlannedMount::Kind::cgroup2 : PlannedMount::Kind::filesystem;
    mount.type = unified ? "cgroup2" : "cgroup";
    mount.source = "cgroup";
    mount.data = context.arena.copy(controllers).c_str();
    mount.bind_instead = directory;
  } else {
    if (!*directory) return;  // no rights over this hierarchy: the container is not in it
    mount.kind = PlannedMount::Kind::bind;
    mount.source = directory;
    if (request.user_namespace) mount.attributes.set |= MOUNT_ATTR_RDONLY;
  }
  mount.may_be_missing = true;
  context.mounts.add(mount);
  add_links(context, like, controllers);
}

/// For an old systemd in the container: its own hierarchy of v1 in the place of v2. The host must have it.
Result<PlannedMount> systemd_v1_mount(const PlanContext& context, const PlannedMount& like) {
  static constexpr char kController[] = "name=systemd";
  const char* const directory = directory_of(context, kController);
  if (!*directory)
    return Error::of(ErrorKind::unsupported,
                     "annotations[run.oci.systemd.force_cgroup_v1]: the host has no cgroup v1 "
                     "hierarchy name=systemd");
  PlannedMount mount = like;
  mount.in_cgroups = true;
  mount.type = "cgroup";
  mount.data = "";
  if (context.request.own_cgroup_namespace) {
    mount.kind = PlannedMount::Kind::filesystem;
    mount.source = "cgroup";
    mount.data = kController;
    mount.bind_instead = directory;
  } else {
    mount.kind = PlannedMount::Kind::bind;
    mount.source = directory;
  }
  return mount;
}

}  // namespace

Status plan_cgroup_mount(PlanContext& context, const PlannedMount& like) {
  const Str* const forced = context.request.spec->annotations.find("run.oci.systemd.force_cgroup_v1");
  if (forced && *forced == std::string_view(like.destination)) {
    context.mounts.add(TRY(systemd_v1_mount(context, like)));
    return {};
  }
  if (is_unified(*context.request.hierarchies)) {
    context.mounts.add(unified_mount(context, like, like.destination, kRoot));
    return {};
  }
  PlannedMount top = like;
  top.kind = PlannedMount::Kind::filesystem;
  top.type = "tmpfs";
  top.source = "tmpfs";
  top.data = "mode=755";
  top.flags = (like.flags & ~static_cast<unsigned long>(MS_RDONLY)) | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  top.read_only_later = like.flags & MS_RDONLY;
  context.mounts.add(top);
  for (const sys::CgroupHierarchy& hierarchy : *context.request.hierarchies)
    add_hierarchy(context, like, hierarchy);
  return {};
}

}  // namespace slipway::runtime
