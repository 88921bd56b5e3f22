#include "src/runtime/rootfs_plan.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <string>

#include "src/runtime/mount_plan.h"
#include "src/sys/file.h"
#include "src/sys/idmap.h"
#include "src/sys/kernel.h"
#include "src/sys/mount.h"

namespace slipway::runtime {
namespace {

// --- the root
// ------------------------------------------------------------------------------------------------

Result<const char*> resolve_root(const RootfsRequest& request, Arena& arena) {
  if (request.rootfs) return arena.copy(request.rootfs->target).c_str();
  const oci::Root* const root = request.spec->root;
  if (!root || root->path.empty()) return Error::of(ErrorKind::invalid, "root.path is missing");
  const char* const path = root->path.data[0] == '/'
                               ? root->path.c_str()
                               : arena.format("%s/%s", request.bundle, root->path.c_str()).c_str();
  char resolved[PATH_MAX];
  if (!realpath(path, resolved)) return Error::sys(errno, "root.path `%s`", path);
  struct stat info = {};
  if (stat(resolved, &info) < 0) return Error::sys(errno, "root.path `%s`", path);
  if (!S_ISDIR(info.st_mode)) return Error::sys(ENOTDIR, "root.path `%s`", path);
  if (strcmp(resolved, "/") == 0)
    return Error::of(ErrorKind::unsupported, "root.path `%s` is the root of the host", path);
  return arena.copy(resolved).c_str();
}

Status plan_propagation(const oci::Linux* section, RootfsPlan& plan) {
  const std::string_view mode = section ? section->rootfs_propagation.view() : std::string_view();
  const unsigned long all = mode.substr(0, 1) == "r" ? MS_REC : 0;
  const std::string_view plain = all ? mode.substr(1) : mode;
  // Slave without a word, as runc: mounts of the host reach binds that ask for it; nothing goes the other
  // way.
  plan.old_propagation = MS_SLAVE | MS_REC;
  if (mode.empty() || plain == "slave") return {};
  if (plain == "private") {
    plan.old_propagation = MS_PRIVATE | MS_REC;
  } else if (plain == "unbindable") {
    plan.old_propagation = MS_PRIVATE | MS_REC;  // the root itself must be bound yet
    plan.root_propagation = MS_UNBINDABLE | all;
  } else if (plain == "shared") {
    // The old tree stays shared, so that binds with (r)shared reach the host.
    plan.old_propagation = 0;
    plan.parent_private = true;
    plan.root_propagation = MS_SHARED | all;
  } else {
    return Error::of(ErrorKind::invalid, "linux.rootfsPropagation: `%s` is not known",
                     section->rootfs_propagation.c_str());
  }
  return {};
}

/// chroot(2) leaves the host's other mounts in the namespace. A proc or sysfs among them would let root of a
/// user namespace mount a new one without the masks of the container (mount_too_revealing), so none may stay.
Status plan_bare_mounts(const PlanContext& context, RootfsPlan& plan) {
  const std::string table = TRY(sys::read_file_at(AT_FDCWD, "/proc/self/mountinfo", 64 << 20));
  ListBuilder<Str> bare(context.arena);
  std::string_view rest = table;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string line(rest.substr(0, end));
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const std::string type = line.substr(dash + 3, line.find(' ', dash + 3) - dash - 3);
    if (type != "proc" && type != "sysfs") continue;
    size_t at = 0;
    for (int field = 0; field < 4; ++field) at = line.find(' ', at) + 1;
    bare.add(context.arena.copy(line.substr(at, line.find(' ', at) - at)));
  }
  plan.bare = bare.list();
  return {};
}

// --- devices
// -------------------------------------------------------------------------------------------------

struct DefaultDevice {
  const char* path;
  unsigned major, minor;
};
// config-linux.md, "Default Devices"; console and ptmx are made otherwise.
constexpr std::array<DefaultDevice, 6> kDefaultDevices = {{{"/dev/null", 1, 3},
                                                           {"/dev/zero", 1, 5},
                                                           {"/dev/full", 1, 7},
                                                           {"/dev/random", 1, 8},
                                                           {"/dev/urandom", 1, 9},
                                                           {"/dev/tty", 5, 0}}};

Result<PlannedDevice> plan_device(const oci::Device& from) {
  PlannedDevice device;
  device.path = from.path.c_str();
  device.mode = from.file_mode.value_or(0666) & 07777;
  device.uid = from.uid.value_or(0);
  device.gid = from.gid.value_or(0);
  const std::string_view type = from.type;
  if (type == "p") {
    device.mode |= S_IFIFO;
    return device;
  }
  if (type == "c" || type == "u") {
    device.mode |= S_IFCHR;
  } else if (type == "b") {
    device.mode |= S_IFBLK;
  } else {
    return Error::of(ErrorKind::invalid, "linux.devices `%s`: type `%s` is not known", from.path.c_str(),
                     from.type.c_str());
  }
  device.device = makedev(static_cast<unsigned>(*from.major), static_cast<unsigned>(*from.minor));
  return device;
}

Status plan_devices(const oci::Linux* section, Arena& arena, RootfsPlan& plan) {
  ListBuilder<PlannedDevice> devices(arena);
  const List<oci::Device> configured = section ? section->devices : List<oci::Device>();
  for (const DefaultDevice& standard : kDefaultDevices) {
    const bool named = std::any_of(configured.begin(), configured.end(),
                                   [&](const oci::Device& device) { return device.path == standard.path; });
    if (named) continue;
    PlannedDevice device;
    device.path = standard.path;
    device.mode = S_IFCHR | 0666;
    device.device = makedev(standard.major, standard.minor);
    devices.add(device);
  }
  for (const oci::Device& from : configured) {
    if (from.path == "/dev/ptmx") continue;  // always the link to the container's own devpts
    devices.add(TRY(plan_device(from)));
  }
  plan.devices = devices.list();
  return {};
}

bool binds_dev(const List<PlannedMount>& mounts) {
  return std::any_of(mounts.begin(), mounts.end(), [](const PlannedMount& mount) {
    return mount.kind == PlannedMount::Kind::bind && std::string_view(mount.destination) == "/dev";
  });
}

bool is_block_device(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 && S_ISBLK(info.st_mode);
}

/// With a user namespace to come the root is mounted here: the child may reach neither its path nor the layers, and could
/// not map ids. So is one on a block device, which the device rules of the child's cgroup forbid to it. Left to the child
/// where this process has no rights over mounts (rootless).
Status plan_root_tree(const RootfsRequest& request, std::vector<Fd>& keep, RootfsPlan& plan) {
  const bool device = request.rootfs && is_block_device(request.rootfs->source);
  if ((!request.user_namespace && !device) || geteuid() != 0) return {};
  Fd tree;
  if (request.rootfs) {
    tree = TRY(sys::mount_detached(*request.rootfs));
  } else {
    tree = Fd(sys::open_tree(AT_FDCWD, plan.root, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
    if (!tree && (errno == EPERM || errno == ENOSYS)) return {};
    if (!tree) return Error::sys(errno, "open `%s`", plan.root);
  }
  mount_attr attributes = {};
  attributes.propagation = plan.old_propagation & MS_SLAVE ? MS_SLAVE : MS_PRIVATE;
  if (sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, attributes) < 0)
    return Error::sys(errno, "set the propagation of `%s`", plan.root);
  plan.root_tree = tree.get();
  keep.push_back(std::move(tree));
  return {};
}

Status plan_layers(const RootfsRequest& request, std::vector<Fd>& keep, RootfsPlan& plan) {
  if (plan.root_tree >= 0) return {};
  plan.layers = request.rootfs;
  if (request.rootfs->uid_map.empty()) return {};
  Fd map = TRY(sys::make_idmap(request.rootfs->uid_map, request.rootfs->gid_map));
  plan.layers_idmap = map.get();
  keep.push_back(std::move(map));
  return {};
}

}  // namespace

Result<const RootfsPlan*> plan_rootfs(const RootfsRequest& request, Arena& arena, std::vector<Fd>& keep,
                                      ListBuilder<Str>& warnings) {
  RootfsPlan* const plan = arena.make<RootfsPlan>();
  const oci::Spec& spec = *request.spec;
  plan->root = TRY(resolve_root(request, arena));
  plan->read_only = spec.root && spec.root->readonly;
  plan->no_pivot = request.no_pivot;
  plan->user_namespace = request.user_namespace;
  plan->shared_mounts = !request.own_mount_namespace;
  if (!plan->shared_mounts) TRY(plan_propagation(spec.linux_, *plan));
  TRY(plan_root_tree(request, keep, *plan));
  if (request.rootfs) TRY(plan_layers(request, keep, *plan));
  PlanContext context = {request, arena, keep, warnings, plan->root, ListBuilder<PlannedMount>(arena)};
  TRY(plan_mounts(context));
  plan->mounts = context.mounts.list();
  plan->set_up_dev = !binds_dev(plan->mounts);
  if (plan->set_up_dev) TRY(plan_devices(spec.linux_, arena, *plan));
  plan->core_link = access("/proc/kcore", F_OK) == 0;
  if (plan->no_pivot && !plan->shared_mounts) TRY(plan_bare_mounts(context, *plan));
  if (spec.linux_) {
    plan->masked = spec.linux_->masked_paths;
    plan->read_only_paths = spec.linux_->readonly_paths;
  }
  if (spec.process && spec.process->console_size) {
    plan->console_height = static_cast<uint16_t>(spec.process->console_size->height);
    plan->console_width = static_cast<uint16_t>(spec.process->console_size->width);
  }
  return static_cast<const RootfsPlan*>(plan);
}

}  // namespace slipway::runtime
