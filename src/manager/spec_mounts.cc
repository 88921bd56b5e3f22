// The mounts of a container: docker's defaults, the files made for it, and what the user asked for.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <initializer_list>
#include <string>

#include "src/manager/spec.h"
#include "src/sys/file.h"
#include "src/sys/mountinfo.h"

namespace slipway::manager {

namespace {

using store::MountPoint;

class Mounts {
 public:
  explicit Mounts(const SpecInputs& inputs) : in_(inputs), mounts_(inputs.arena) {}

  void add(Str destination, Str type, Str source, std::initializer_list<Str> options) {
    oci::Mount mount;
    mount.destination = destination;
    mount.type = type;
    mount.source = source;
    mount.options = in_.arena.list<Str>(options.size());
    std::copy(options.begin(), options.end(), mount.options.begin());
    put(mount);
  }

  void defaults(bool own_cgroup_namespace) {
    const store::HostConfig& host = in_.record.host;
    const Str access = host.privileged ? "rw" : "ro";
    add("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"});
    add("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"});
    add("/dev/pts", "devpts", "devpts",
        {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"});
    add("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", access});
    if (own_cgroup_namespace)
      add("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", access});
    else
      add("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", access});
    add("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"});
  }

  /// Each container has its own files, so that names and name servers can differ.
  void own_files() {
    const Str access = in_.record.host.readonly_rootfs ? "ro" : "rw";
    for (const char* name : {"resolv.conf", "hostname", "hosts"})
      add(in_.arena.format("/etc/%s", name), "bind", in_.arena.format("%s/%s", in_.dir.c_str(), name),
          {"rbind", access, "rprivate"});
    if (!in_.init_path.empty())
      add("/sbin/docker-init", "bind", in_.init_path, {"bind", "ro", "nosuid", "nodev", "rprivate"});
  }

  Status shm() {
    const store::HostConfig& host = in_.record.host;
    if (host.ipc_mode == "none") return {};
    if (host.ipc_mode == "host") {
      add("/dev/shm", "bind", "/dev/shm", {"rbind", "rprivate"});
    } else if (host.ipc_mode.view().starts_with("container:")) {
      // The other one's memory belongs to its IPC namespace; the engine mounts it there.
      add("/dev/shm", "bind", in_.arena.format("%s/shm", in_.dir.c_str()), {"rbind", "rprivate"});
    } else {
      add("/dev/shm", "tmpfs", "shm",
          {"nosuid", "noexec", "nodev", "mode=1777",
           in_.arena.format("size=%lld", static_cast<long long>(host.shm_size))});
    }
    return {};
  }

  Status user_mount(const MountPoint& point) {
    oci::Mount mount;
    mount.destination = point.destination;
    ListBuilder<Str> options(in_.arena);
    if (point.type == "tmpfs") {
      mount.type = "tmpfs";
      mount.source = "tmpfs";
      for (const char* option : {"noexec", "nosuid", "nodev"}) options.add(Str::wrap(option));
      for (const Str option : point.options) options.add(option);
      if (point.read_only) options.add("ro");
    } else {
      TRY(check_source(point));
      mount.type = "bind";
      mount.source = point.source;
      options.add(is_flat(point) ? Str("bind") : Str("rbind"));
      if (point.read_only) options.add("ro");
      options.add(TRY(propagation_of(point)));
    }
    mount.options = options.list();
    put(mount);
    return {};
  }

  List<oci::Mount> sorted() {
    // A mount must not hide one that is deeper. Equal depths keep their order.
    List<oci::Mount> list = mounts_.list();
    std::stable_sort(list.begin(), list.end(), [](const oci::Mount& a, const oci::Mount& b) {
      const auto depth = [](Str path) { return std::count(path.view().begin(), path.view().end(), '/'); };
      return depth(a.destination) < depth(b.destination);
    });
    return list;
  }

 private:
  /// One destination has one mount: the user's takes the place of a default.
  void put(const oci::Mount& mount) {
    for (oci::Mount& other : mounts_.list()) {
      if (other.destination != mount.destination.view()) continue;
      other = mount;
      return;
    }
    mounts_.add(mount);
  }

  /// Without what is mounted below: bind-nonrecursive.
  static bool is_flat(const MountPoint& point) {
    return std::any_of(point.options.begin(), point.options.end(),
                       [](Str option) { return option == "bind"; });
  }

  /// A source that is not shared has nothing to propagate: that is an error, as with docker. So is it for slaves; but
  /// where the store is in the source, or the source in the store, docker's users get a private mount.
  Result<Str> propagation_of(const MountPoint& point) const {
    const Str wanted = point.propagation.empty() ? Str("rprivate") : point.propagation;
    const bool shared = wanted.view().ends_with("shared");
    if (!shared && !wanted.view().ends_with("slave")) return wanted;
    const sys::MountEntry mount = TRY(sys::find_mount(point.source.c_str()));
    const auto is = [&](const char* tag) { return mount.propagation.find(tag) != std::string::npos; };
    if (is("shared:") || (!shared && is("master:"))) return wanted;
    const std::string& root = in_.store.root();
    if (!shared && (sys::is_below(point.source, root) || sys::is_below(root, point.source)))
      return Str("rprivate");
    return Error::of(ErrorKind::invalid, "path %s is mounted on %s but it is not a shared %smount",
                     point.source.c_str(), mount.mountpoint.c_str(), shared ? "" : "or slave ");
  }

  Status check_source(const MountPoint& point) {
    if (faccessat(AT_FDCWD, point.source.c_str(), F_OK, 0) == 0) return {};
    if (point.type == "volume")
      return Error::of(ErrorKind::not_found, "volume %s: its directory `%s` is missing", point.name.c_str(),
                       point.source.c_str());
    if (point.mode == "exact")
      return Error::of(ErrorKind::invalid,
                       "invalid mount config for type \"bind\": bind source path does not exist: %s",
                       point.source.c_str());
    // -v makes what is missing, as docker does.
    return sys::make_directories(std::string(point.source.view()), 0755);
  }

  const SpecInputs& in_;
  ListBuilder<oci::Mount> mounts_;
};

}  // namespace

Result<List<oci::Mount>> spec_mounts(const SpecInputs& in, bool own_cgroup_namespace) {
  Mounts mounts(in);
  mounts.defaults(own_cgroup_namespace);
  TRY(mounts.shm());
  mounts.own_files();
  for (const MountPoint& point : in.record.mounts) TRY(mounts.user_mount(point));
  return mounts.sorted();
}

}  // namespace slipway::manager
