#include "src/runtime/mount_plan.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "src/sys/idmap.h"
#include "src/sys/kernel.h"
#include "src/sys/mount.h"

namespace slipway::runtime {
namespace {

constexpr size_t kMaxData = 4095;  // mount(2) takes one page

/// "/a/./b//../c/" -> "/a/c"; relative ones are seen from "/" (runtime-spec 1.2).
std::string clean_path(std::string_view path) {
  std::string clean;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? "" : path.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      clean.resize(clean.rfind('/') == std::string::npos ? 0 : clean.rfind('/'));
      continue;
    }
    clean += '/';
    clean += part;
  }
  return clean.empty() ? "/" : clean;
}

bool is_proc(const char* path) {
  struct statfs info = {};
  return statfs(path, &info) == 0 && info.f_type == PROC_SUPER_MAGIC;
}

// Files that lxcfs puts into place; anything else below /proc could hide from a process what it is about to
// write to (CVE-2019-16884).
constexpr std::array<std::string_view, 12> kProcFiles = {"/proc/cpuinfo",
                                                         "/proc/diskstats",
                                                         "/proc/loadavg",
                                                         "/proc/meminfo",
                                                         "/proc/net/dev",
                                                         "/proc/slabinfo",
                                                         "/proc/stat",
                                                         "/proc/swaps",
                                                         "/proc/uptime",
                                                         "/proc/version",
                                                         "/proc/sys/kernel/ns_last_pid",
                                                         "/proc/sys/crypto/fips_enabled"};

Status check_over_proc(PlannedMount& mount) {
  const std::string_view destination = mount.destination;
  if (destination == "/proc") {
    if (mount.kind == PlannedMount::Kind::filesystem && std::string_view(mount.type) == "proc") return {};
    if (mount.kind == PlannedMount::Kind::bind && is_proc(mount.source)) return {};
    return Error::of(ErrorKind::invalid, "\"/proc\" cannot be mounted because it is not of type proc");
  }
  if (destination.substr(0, 6) != "/proc/") return {};
  // Hides what is there, and can pretend nothing.
  if (mount.kind == PlannedMount::Kind::filesystem && std::string_view(mount.type) == "tmpfs") return {};
  if (std::find(kProcFiles.begin(), kProcFiles.end(), destination) == kProcFiles.end() &&
      !(mount.kind == PlannedMount::Kind::bind && is_proc(mount.source)))
    return Error::of(ErrorKind::invalid, "\"%s\" cannot be mounted because it is inside /proc",
                     mount.destination);
  mount.over_proc = true;
  return {};
}

/// The whole set of attributes that a bind is to have (mount(8): what is not mentioned is cleared), and the
/// part that was mentioned.
void set_attributes(PlannedMount& mount, const MountOptions& options) {
  constexpr uint64_t kOwn =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;
  mount.attributes_kept = options.own;
  mount.attributes = options.own;
  if (options.own.any() && !options.remount) mount.attributes.clear |= kOwn & ~options.own.set;
}

bool has_option(std::string_view data, std::string_view key) {
  while (!data.empty()) {
    const size_t comma = data.find(',');
    if (data.substr(0, key.size()) == key) return true;
    data = comma == std::string_view::npos ? "" : data.substr(comma + 1);
  }
  return false;
}

std::string without_option(std::string_view data, std::string_view key) {
  std::string kept;
  while (!data.empty()) {
    const size_t comma = data.find(',');
    const std::string_view option = data.substr(0, comma);
    data = comma == std::string_view::npos ? "" : data.substr(comma + 1);
    if (option.substr(0, key.size()) == key) continue;
    if (!kept.empty()) kept += ',';
    kept += option;
  }
  return kept;
}

/// linux.mountLabel as an option of file systems that take one.
Status add_label(const PlanContext& context, PlannedMount& mount) {
  const oci::Linux* const section = context.request.spec->linux_;
  const std::string_view type = mount.type;
  if (!section || section->mount_label.empty() || type == "proc" || type == "sysfs" || type == "mqueue" ||
      type == "cgroup" || type == "cgroup2")
    return {};
  if (access("/sys/fs/selinux/enforce", F_OK) < 0)
    return Error::of(ErrorKind::unsupported, "linux.mountLabel is set, but SELinux is not enabled");
  const Str* const kind = context.request.spec->annotations.find("run.oci.mount_context_type");
  const char* const key = kind && !kind->empty() ? kind->c_str() : "context";
  mount.data =
      context.arena
          .format("%s%s%s=\"%s\"", mount.data, *mount.data ? "," : "", key, section->mount_label.c_str())
          .c_str();
  return {};
}

// --- idmapped mounts
// -----------------------------------------------------------------------------------------

std::vector<sys::IdRange> ranges(const List<oci::IdMapping>& mappings) {
  std::vector<sys::IdRange> result;
  for (const oci::IdMapping& mapping : mappings)
    result.push_back({mapping.container_id, mapping.host_id, mapping.size});
  return result;
}

/// One half of crun's "uids=0-1000-1#10-2000-5;gids=0-1000-1". A leading "@" would make the ids relative to
/// the container's mapping, which is refused.
Result<std::vector<sys::IdRange>> parse_ranges(std::string_view text, const char* key) {
  std::vector<sys::IdRange> result;
  const size_t at = text.find(key);
  if (at == std::string_view::npos) return Error::of(ErrorKind::invalid, "idmap: no `%s`", key);
  text = text.substr(at + strlen(key));
  const std::string list(text.substr(0, text.find(';')));
  const char* next = list.c_str();
  while (*next) {
    sys::IdRange range;
    int used = 0;
    if (sscanf(next, "%u-%u-%u%n", &range.inside, &range.outside, &range.count, &used) != 3)
      return Error::of(ErrorKind::invalid, "idmap: `%s` is not a list of INSIDE-OUTSIDE-COUNT", list.c_str());
    result.push_back(range);
    next += used;
    if (*next == '#') ++next;
  }
  return result;
}

Result<Fd> open_idmap(const PlanContext& context, const oci::Mount& mount, const MountOptions& options) {
  if (!options.idmap_text.empty())
    return sys::make_idmap(TRY(parse_ranges(options.idmap_text, "uids=")),
                           TRY(parse_ranges(options.idmap_text, "gids=")));
  if (!mount.uid_mappings.empty() || !mount.gid_mappings.empty()) {
    if (mount.uid_mappings.empty() || mount.gid_mappings.empty())
      return Error::of(ErrorKind::invalid, "uidMappings and gidMappings must both be given");
    return sys::make_idmap(ranges(mount.uid_mappings), ranges(mount.gid_mappings));
  }
  const oci::Linux* const section = context.request.spec->linux_;
  if (section && !section->uid_mappings.empty() && !section->gid_mappings.empty())
    return sys::make_idmap(ranges(section->uid_mappings), ranges(section->gid_mappings));
  for (const oci::Namespace& ns : section ? section->namespaces : List<oci::Namespace>())
    if (ns.type == "user" && !ns.path.empty()) {
      Fd joined(open(ns.path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!joined) return Error::sys(errno, "open `%s`", ns.path.c_str());
      return joined;
    }
  return Error::of(ErrorKind::invalid, "idmap without mappings and without a user namespace");
}

// --- binds
// ---------------------------------------------------------------------------------------------------

/// Clones a bind's source here, in the host's context: the child's user namespace may not reach it, and only
/// here may its ids be mapped.
Status clone_source(PlanContext& context, PlannedMount& mount, bool required) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (mount.bind_recursive ? AT_RECURSIVE : 0) |
                         (mount.source_nofollow || mount.copy_symlink ? AT_SYMLINK_NOFOLLOW : 0);
  Fd tree(sys::open_tree(AT_FDCWD, mount.source, flags));
  if (!tree) {
    // Not privileged here, or an old kernel: the child opens the path itself.
    if (!required && (errno == EPERM || errno == ENOSYS)) return {};
    return Error::sys(errno, "open `%s`", mount.source);
  }
  mount_attr slave = {};
  slave.propagation = MS_SLAVE;
  if (sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, slave) < 0)
    return Error::sys(errno, "set the propagation of `%s`", mount.source);
  if (mount.idmap >= 0) {
    mount_attr map = {};
    map.attr_set = MOUNT_ATTR_IDMAP;
    map.userns_fd = static_cast<uint64_t>(mount.idmap);
    if (sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH | (mount.idmap_recursive ? AT_RECURSIVE : 0), map) <
        0) {
      // The one cause of EINVAL that a user meets: tmpfs before 6.3, overlay before 5.19, network file systems.
      if (errno == EINVAL)
        return Error::of(ErrorKind::unsupported,
                         "uidMappings, gidMappings: this kernel cannot map ids on the file system of `%s`",
                         mount.source);
      return Error::sys(errno, "uidMappings, gidMappings: map the ids of `%s`", mount.source);
    }
    mount.idmap = -1;
  }
  mount.tree = tree.get();
  context.keep.push_back(std::move(tree));
  return {};
}

Status plan_bind(PlanContext& context, const oci::Mount& from, const MountOptions& options,
                 PlannedMount& mount) {
  mount.kind = PlannedMount::Kind::bind;
  if (from.source.empty()) return Error::of(ErrorKind::invalid, "a bind needs a source");
  if (!options.data.empty())
    return Error::of(ErrorKind::invalid,
                     "bind mounts cannot have any filesystem-specific options applied: `%s`",
                     options.data.c_str());
  mount.source = from.source.data[0] == '/'
                     ? from.source.c_str()
                     : context.arena.format("%s/%s", context.request.bundle, from.source.c_str()).c_str();
  mount.bind_recursive = options.bind_recursive;
  mount.copy_symlink = options.copy_symlink;
  mount.source_nofollow = options.source_nofollow;
  set_attributes(mount, options);
  // What the host has forbidden on the source stays forbidden to the users of a namespace.
  if (context.request.user_namespace) mount.attributes = mount.attributes_kept;
  TRY(check_over_proc(mount));
  // A source inside the root file system may be a mount that does not exist yet.
  const std::string_view root = context.root;
  const bool inside = !root.empty() && std::string_view(mount.source).substr(0, root.size()) == root;
  if (mount.idmap >= 0 || context.clone_sources || (context.request.user_namespace && !inside))
    return clone_source(context, mount, mount.idmap >= 0 || context.clone_sources);
  return {};
}

// --- file systems
// --------------------------------------------------------------------------------------------

bool is_block_device(const char* path) {
  struct stat info = {};
  return path[0] == '/' && stat(path, &info) == 0 && S_ISBLK(info.st_mode);
}

/// The options that mount(2) takes in flags and data, one by one; a comma between quotes (SELinux) is none.
std::vector<sys::MountSpec::Option> superblock_options(const PlannedMount& mount) {
  constexpr std::pair<unsigned long, const char*> kFlags[] = {
      {MS_SYNCHRONOUS, "sync"}, {MS_DIRSYNC, "dirsync"}, {MS_LAZYTIME, "lazytime"}, {MS_MANDLOCK, "mand"}};
  std::vector<sys::MountSpec::Option> options;
  for (const auto& [flag, name] : kFlags)
    if (mount.flags & flag) options.push_back({name, ""});
  std::string option;
  bool quoted = false;
  for (const char* at = mount.data;; ++at) {
    if (*at == '"') quoted = !quoted;
    if (*at && (*at != ',' || quoted)) {
      option += *at;
      continue;
    }
    const size_t equals = std::min(option.find('='), option.size());
    if (!option.empty())
      options.push_back({option.substr(0, equals), equals < option.size() ? option.substr(equals + 1) : ""});
    option.clear();
    if (!*at) return options;
  }
}

/// A file system on a block device is mounted here and becomes a bind: the child is in its cgroup, whose device rules may
/// already, or not yet, keep the device from it.
Status mount_device(PlanContext& context, PlannedMount& mount) {
  sys::MountSpec spec;
  spec.kind = sys::MountSpec::Kind::filesystem;
  spec.type = mount.type;
  spec.source = mount.source;
  spec.options = superblock_options(mount);
  spec.read_only = mount.flags & MS_RDONLY;
  Fd tree = TRY(sys::mount_detached(spec));
  mount.kind = PlannedMount::Kind::bind;
  mount.tree = tree.get();
  context.keep.push_back(std::move(tree));
  return {};
}

Status plan_filesystem(PlanContext& context, const oci::Mount& from, const MountOptions& options,
                       PlannedMount& mount) {
  const std::string_view type = from.type;
  if (type.empty()) return Error::of(ErrorKind::invalid, "neither a type nor a bind option");
  mount.kind = PlannedMount::Kind::filesystem;
  mount.type = from.type.c_str();
  mount.source = from.source.empty() ? mount.type : from.source.c_str();
  mount.flags = options.flags;
  mount.data = options.data.c_str();
  set_attributes(mount, options);
  mount.attributes = options.own;  // for the bind that stands in
  TRY(check_over_proc(mount));
  if (options.copy_up && type != "tmpfs")
    return Error::of(ErrorKind::invalid, "tmpcopyup is for tmpfs, not for `%s`", mount.type);
  mount.copy_up = options.copy_up;
  if (type == "cgroup") return plan_cgroup_mount(context, mount);
  if (type == "cgroup2") {
    mount.kind = PlannedMount::Kind::cgroup2;
    mount.in_cgroups = true;
  }
  TRY(add_label(context, mount));
  mount.real_directory = type == "proc" || type == "sysfs";
  mount.inherit_mode = type == "tmpfs" && !has_option(mount.data, "mode=");
  const bool dev = std::string_view(mount.destination) == "/dev";
  if (mount.flags & MS_RDONLY && (type == "tmpfs" || dev)) {
    mount.flags &= ~static_cast<unsigned long>(MS_RDONLY);
    mount.read_only_later = true;
  }
  if (type == "sysfs") mount.bind_instead = "/sys";
  if (type == "mqueue") mount.bind_instead = "/dev/mqueue";
  if (type == "devpts" && context.request.user_namespace && has_option(mount.data, "gid="))
    mount.data_retry = context.arena.copy(without_option(mount.data, "gid=")).c_str();
  if (strlen(mount.data) > kMaxData) return Error::of(ErrorKind::invalid, "its options exceed a page");
  // With a user namespace the kernel refuses it to the child, as it should; the same where we have no rights (rootless).
  if (geteuid() == 0 && !context.request.user_namespace && mount.idmap < 0 && is_block_device(mount.source))
    TRY(mount_device(context, mount));
  context.mounts.add(mount);
  return {};
}

Status plan_mount(PlanContext& context, const oci::Mount& from) {
  const MountOptions options = sort_mount_options(from.options, context.arena);
  PlannedMount mount;
  if (from.destination.empty()) return Error::of(ErrorKind::invalid, "no destination");
  mount.destination = context.arena.copy(clean_path(from.destination)).c_str();
  if (mount.destination[1] == '\0') return Error::of(ErrorKind::invalid, "the root cannot be mounted over");
  mount.recursive = options.recursive;
  mount.propagation = options.changes;
  mount.destination_nofollow = options.destination_nofollow;
  if (options.idmap || !from.uid_mappings.empty() || !from.gid_mappings.empty()) {
    Fd map = TRY(open_idmap(context, from, options));
    mount.idmap = map.get();
    mount.idmap_recursive = options.idmap_recursive;
    context.keep.push_back(std::move(map));
  }
  if (!options.bind && from.type != "bind") return plan_filesystem(context, from, options, mount);
  if (options.copy_up) return Error::of(ErrorKind::invalid, "tmpcopyup is for tmpfs, not for a bind");
  TRY(plan_bind(context, from, options, mount));
  context.mounts.add(mount);
  return {};
}

}  // namespace

Status plan_mounts(PlanContext& context) {
  const List<oci::Mount>& mounts = context.request.spec->mounts;
  for (size_t i = 0; i < mounts.size(); ++i)
    TRY(plan_mount(context, mounts[i]).ctx("mounts[%zu] `%s`", i, mounts[i].destination.c_str()));
  return {};
}

}  // namespace slipway::runtime
