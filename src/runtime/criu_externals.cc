#include "src/runtime/criu_externals.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include "src/runtime/mount_options.h"
#include "src/sys/file.h"
#include "src/sys/mountinfo.h"
#include "src/sys/ns.h"
#include "src/sys/path.h"

namespace slipway::runtime {

namespace {

using sys::MountEntry;

/// The targets of the links /proc/PID/fd/0, 1 and 2 at the checkpoint: a list of texts.
constexpr char kDescriptorsFile[] = "descriptors.json";
/// Mounts of the host that config.json does not name: where they are in the container, and what is there.
constexpr char kMountsFile[] = "mounts.json";
constexpr size_t kFileLimit = 1U << 20;
/// In kMountsFile instead of a path: the container's own directory in the hierarchy of a controller.
constexpr std::string_view kOwnCgroup = "cgroup:";

struct Descriptors {
  List<Str> links;
};
struct Mounts {
  Map<Str> mounts;
};

}  // namespace
}  // namespace slipway::runtime

JSON_OBJECT(slipway::runtime::Descriptors, JSON_FIELD(slipway::runtime::Descriptors, links, "links"));
JSON_OBJECT(slipway::runtime::Mounts, JSON_FIELD(slipway::runtime::Mounts, mounts, "mounts"));

namespace slipway::runtime {

namespace {

// --- namespaces

/// Those that criu takes by a descriptor, and leaves as they are; by the names that runc has for them.
const char* inherited_name(std::string_view type) {
  if (type == "network") return "extRootNetNS";
  if (type == "pid") return "extRootPidNS";
  return nullptr;
}

/// Those that criu joins by a path.
bool can_be_joined(std::string_view type) {
  return type == "ipc" || type == "uts";
}

Status name_namespaces(pid_t init, const oci::Linux& section, protobuf::Writer& out) {
  for (const oci::Namespace& ns : section.namespaces) {
    if (ns.path.empty() || can_be_joined(ns.type)) continue;
    const char* const name = inherited_name(ns.type);
    if (!name)
      return Error::of(ErrorKind::unsupported,
                       "criu cannot restore a %s namespace that is joined by its path", ns.type.c_str());
    const sys::NamespaceType& type = *sys::find_namespace(ns.type);
    const std::string path = "/proc/" + std::to_string(init) + "/ns/" + type.file;
    struct stat info;
    if (stat(path.c_str(), &info) < 0) return Error::sys(errno, "`%s`", path.c_str());
    out.text(Criu::kExternal, std::string(type.file) + "[" + std::to_string(info.st_ino) + "]:" + name);
  }
  return {};
}

Status give_namespaces(const oci::Linux& section, Criu& criu, std::vector<Fd>& keep, protobuf::Writer& out) {
  for (const oci::Namespace& ns : section.namespaces) {
    if (ns.path.empty()) continue;
    const sys::NamespaceType& type = *sys::find_namespace(ns.type);
    Fd file = TRY(sys::open_namespace(ns.path.c_str(), type).ctx("linux.namespaces"));
    if (can_be_joined(ns.type)) {
      protobuf::Writer join;
      join.text(1, type.file).text(2, ns.path);
      out.message(Criu::kJoinNs, join);
    } else if (const char* const name = inherited_name(ns.type)) {
      protobuf::Writer inherit;
      inherit.text(1, name).number(2, file.get());
      out.message(Criu::kInheritFd, inherit);
      criu.keep(file.get());
      keep.push_back(std::move(file));
    } else {
      return Error::of(ErrorKind::unsupported,
                       "criu cannot restore a %s namespace that is joined by its path", ns.type.c_str());
    }
  }
  return {};
}

// --- standard descriptors

/// The mount that an open file is on, as mountinfo numbers it.
uint64_t mount_of(pid_t pid, int fd) {
  const std::string path = "/proc/" + std::to_string(pid) + "/fdinfo/" + std::to_string(fd);
  const Result<std::string> text = sys::read_file_at(AT_FDCWD, path.c_str(), 65536);
  const size_t at = text.ok() ? text.value().find("mnt_id:") : std::string::npos;
  uint64_t id = 0;
  if (at != std::string::npos) sscanf(text.value().c_str() + at, "mnt_id: %" SCNu64, &id);
  return id;
}

/// What criu calls a descriptor: the kernel's name, or, for a file of the host, one of its own.
std::string name_descriptor(pid_t pid, int fd, const std::vector<MountEntry>& mounts, protobuf::Writer& out) {
  const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd);
  std::array<char, 4096> link;
  const ssize_t size = readlink(path.c_str(), link.data(), link.size());
  if (size <= 0) return "";
  std::string name(link.data(), static_cast<size_t>(size));
  struct stat info;
  if (stat(path.c_str(), &info) < 0 || !S_ISREG(info.st_mode)) return name;
  const uint64_t id = mount_of(pid, fd);
  for (const MountEntry& mount : mounts)
    if (mount.id == id) return name;
  char text[64];
  snprintf(text, sizeof text, "file[%" PRIx64 ":%" PRIx64 "]", id, static_cast<uint64_t>(info.st_ino));
  out.text(Criu::kExternal, text);
  return text;
}

Status name_descriptors(pid_t pid, const std::vector<MountEntry>& mounts, int images, protobuf::Writer& out) {
  json::Writer list;
  list.begin_array();
  for (int fd = 0; fd < 3; ++fd) list.string(name_descriptor(pid, fd, mounts, out));
  list.end_array();
  return sys::replace_file_at(images, kDescriptorsFile, list.text(), 0600, false);
}

/// Pipes and files of the host become those that the caller has in the same place.
Status give_streams(const ProcessOptions& options, Criu& criu, std::vector<Fd>& keep, protobuf::Writer& out) {
  Result<std::string> text = sys::read_file_at(criu.images(), kDescriptorsFile, kFileLimit);
  if (!text.ok() && text.error().code() == ENOENT) return {};
  Arena arena;
  const std::string document = "{\"links\":" + TRY(std::move(text)) + "}";
  const Descriptors* descriptors =
      TRY(json::read<Descriptors>(document, json::type<Descriptors>, arena).ctx("`%s`", kDescriptorsFile));
  for (uint32_t i = 0; i < std::min<uint32_t>(descriptors->links.size(), 3); ++i) {
    const std::string_view link = descriptors->links[i];
    if (!link.starts_with("pipe:") && !link.starts_with("file[")) continue;
    // criu's own standard descriptors are others.
    Fd ours(fcntl(options.stdio[i], F_DUPFD_CLOEXEC, 3));
    if (!ours) return Error::sys(errno, "duplicate a standard stream");
    protobuf::Writer inherit;
    inherit.text(1, link).number(2, ours.get());
    out.message(Criu::kInheritFd, inherit);
    criu.keep(ours.get());
    keep.push_back(std::move(ours));
  }
  return {};
}

// --- mounts

bool is_bind(const oci::Mount& mount) {
  if (mount.type == "bind") return true;
  for (const Str& option : mount.options)
    if (option == "bind" || option == "rbind") return true;
  return false;
}

/// criu knows nothing of them, and would restore the files with the ids of the host.
bool is_idmapped(const oci::Mount& mount) {
  if (!mount.uid_mappings.empty() || !mount.gid_mappings.empty()) return true;
  for (const Str& option : mount.options)
    for (const std::string_view word : {"idmap", "ridmap", "idmap="})
      if (word.ends_with('=') ? option.view().starts_with(word) : option.view() == word) return true;
  return false;
}

/// File systems that show the kernel: a new mount shows the same.
bool is_kernels(std::string_view type) {
  for (const std::string_view name :
       {"proc", "sysfs", "mqueue", "devpts", "cgroup", "cgroup2", "securityfs", "debugfs", "tracefs", "bpf",
        "binfmt_misc", "fusectl", "configfs", "efivarfs", "pstore"})
    if (type == name) return true;
  return false;
}

/// Where the host sees what is mounted here; "" when it does not.
std::string path_on_host(const MountEntry& mount, const std::vector<MountEntry>& host) {
  for (auto entry = host.rbegin(); entry != host.rend(); ++entry) {
    if (entry->device != mount.device || !sys::is_below(mount.root, entry->root)) continue;
    const std::string rest = mount.root.substr(entry->root == "/" ? 0 : entry->root.size());
    if (rest.empty() || rest == "/") return entry->mountpoint;
    return (entry->mountpoint == "/" ? "" : entry->mountpoint) + rest;
  }
  return "";
}

/// The mounts of a container, sorted into its own and the host's.
class MountNames {
 public:
  MountNames(const State& state, const std::vector<MountEntry>& mounts) : state_(state), mounts_(mounts) {}

  /// By config.json: under their destination.
  Status name_binds(const oci::Spec& spec, protobuf::Writer& out) {
    const std::string path = "/proc/" + std::to_string(state_.pid) + "/root";
    const Fd root = TRY(sys::open_at(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY));
    for (const oci::Mount& mount : spec.mounts) {
      if (!is_bind(mount)) continue;
      if (is_idmapped(mount))
        return Error::of(ErrorKind::unsupported, "criu cannot restore the idmapped mount on `%s`",
                         mount.destination.c_str());
      // By the way that its destination leads: links in the root file system are followed.
      const Result<Fd> there = sys::open_in_root(root.get(), mount.destination.c_str(), O_PATH);
      const uint64_t id = there.ok() ? mount_of(getpid(), there.value().get()) : 0;
      for (const MountEntry& entry : mounts_)
        if (entry.id == id) name(entry, mount.destination.view(), out);
    }
    return {};
  }

  /// All others that the host has, too: what came along with a recursive bind, devices, cgroups.
  void name_others(const std::vector<MountEntry>& host, protobuf::Writer& out) {
    for (const MountEntry& entry : mounts_) {
      if (is_named(entry) || is_own(entry)) continue;
      const std::string path = path_on_host(entry, host);
      if (path.empty()) {
        own_.push_back(&entry);
      } else {
        name(entry, entry.mountpoint, out);
        sources_.emplace_back(entry.mountpoint, as_cgroup(path));
      }
    }
  }

  Status write(int images) const {
    json::Writer out;
    out.begin_object().key("mounts").begin_object();
    for (const auto& [place, source] : sources_) out.key(place).string(source);
    out.end_object().end_object();
    return sys::replace_file_at(images, kMountsFile, out.text(), 0600, false);
  }

 private:
  void name(const MountEntry& entry, std::string_view name, protobuf::Writer& out) {
    named_.push_back(entry.id);
    out.text(Criu::kExternal, "mnt[" + entry.mountpoint + "]:" + std::string(name));
  }
  bool is_named(const MountEntry& entry) const {
    return std::find(named_.begin(), named_.end(), entry.id) != named_.end();
  }
  /// The root, a part of what the container has mounted already, or a view of the kernel.
  bool is_own(const MountEntry& entry) {
    bool own = entry.mountpoint == "/" || (is_kernels(entry.type) && entry.root == "/");
    for (const MountEntry* other : own_)
      own = own || (other->device == entry.device && sys::is_below(entry.root, other->root));
    if (own) own_.push_back(&entry);
    return own;
  }
  /// The new container has cgroups elsewhere.
  std::string as_cgroup(const std::string& path) const {
    for (const auto& [controller, directory] : state_.cgroup.directories)
      if (path == directory) return std::string(kOwnCgroup) + controller;
    return path;
  }

  const State& state_;
  const std::vector<MountEntry>& mounts_;
  std::vector<const MountEntry*> own_;
  std::vector<uint64_t> named_;
  std::vector<std::pair<std::string, std::string>> sources_;
};

void give_mount(std::string_view name, std::string_view source, protobuf::Writer& out) {
  out.text(Criu::kExternal, "mnt[" + std::string(name) + "]:" + std::string(source));
}

std::string source_of(const State& state, const oci::Mount& mount) {
  const std::string source(mount.source.view());
  return source.starts_with('/') ? source : state.bundle + "/" + source;
}

}  // namespace

Status name_externals(const State& state, const oci::Spec& spec, int images, protobuf::Writer& out) {
  if (spec.linux_) TRY(name_namespaces(state.pid, *spec.linux_, out));
  const std::vector<MountEntry> mounts = TRY(sys::read_mountinfo(state.pid));
  TRY(name_descriptors(state.pid, mounts, images, out));
  MountNames names(state, mounts);
  TRY(names.name_binds(spec, out));
  names.name_others(TRY(sys::read_mountinfo(0)), out);
  return names.write(images);
}

Status give_descriptors(const oci::Spec& spec, const ProcessOptions& options, Criu& criu,
                        std::vector<Fd>& keep, protobuf::Writer& out) {
  if (spec.linux_) TRY(give_namespaces(*spec.linux_, criu, keep, out));
  return give_streams(options, criu, keep, out);
}

Status give_mounts(const State& state, const oci::Spec& spec, const Criu& criu, protobuf::Writer& out) {
  for (const oci::Mount& mount : spec.mounts)
    if (is_bind(mount)) give_mount(mount.destination, source_of(state, mount), out);
  // In images of another runtime these have names, too.
  if (spec.linux_)
    for (const Str& path : spec.linux_->masked_paths) give_mount(path, "/dev/null", out);
  Result<std::string> text = sys::read_file_at(criu.images(), kMountsFile, kFileLimit);
  if (!text.ok() && text.error().code() == ENOENT) return {};
  Arena arena;
  const std::string document = TRY(std::move(text));
  const Mounts* saved = TRY(json::read<Mounts>(document, json::type<Mounts>, arena).ctx("`%s`", kMountsFile));
  for (const Entry<Str>& entry : saved->mounts) {
    std::string source(entry.value.view());
    if (source.starts_with(kOwnCgroup))
      for (const auto& [controller, directory] : state.cgroup.directories)
        if (controller == entry.value.view().substr(kOwnCgroup.size())) source = directory;
    give_mount(entry.key, source, out);
  }
  return {};
}

Status make_mountpoints(const State& state, const oci::Spec& spec) {
  const Fd root = TRY(sys::open_at(AT_FDCWD, state.rootfs.c_str(), O_PATH | O_DIRECTORY).ctx("root.path"));
  std::vector<std::string_view> covered;
  for (const oci::Mount& mount : spec.mounts) {
    const std::string_view place = mount.destination;
    const bool inside = std::any_of(covered.begin(), covered.end(),
                                    [&](std::string_view other) { return sys::is_below(place, other); });
    covered.push_back(place);
    if (inside) continue;
    struct stat info;
    const bool is_file =
        is_bind(mount) && stat(source_of(state, mount).c_str(), &info) == 0 && !S_ISDIR(info.st_mode);
    if (is_file) {
      std::string name;
      const Fd parent = TRY(sys::open_parent_in_root(root.get(), mount.destination.c_str(), true, &name));
      const Fd file(
          openat(parent.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
      if (!file && errno != EEXIST)
        return Error::sys(errno, "make `%s` to mount on", mount.destination.c_str());
    } else {
      TRY(sys::make_directories_in_root(root.get(), mount.destination.c_str()).ctx("mount"));
    }
  }
  return {};
}

}  // namespace slipway::runtime
