// The configuration that `slip spec` prints: a shell in an image, with nothing that a shell does not need.
#include <initializer_list>

#include "oci/spec.h"

namespace slipway::oci {

namespace {

class Builder {
 public:
  explicit Builder(Arena& arena) : arena_(arena) {}

  template <class T>
  List<T> list(std::initializer_list<T> items) {
    List<T> out = arena_.list<T>(items.size());
    size_t i = 0;
    for (const T& item : items) out[i++] = item;
    return out;
  }
  List<Str> strings(std::initializer_list<Str> items) { return list<Str>(items); }

  Process* process() {
    auto* process = arena_.make<Process>();
    process->terminal = true;
    process->args = strings({"sh"});
    process->env =
        strings({"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"});
    process->cwd = "/";
    // Neither inheritable nor ambient (CVE-2022-29162).
    const List<Str> capabilities = strings({"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"});
    process->capabilities = arena_.make<Capabilities>();
    process->capabilities->bounding = capabilities;
    process->capabilities->effective = capabilities;
    process->capabilities->permitted = capabilities;
    process->rlimits = list<Rlimit>({{"RLIMIT_NOFILE", 1024, 1024}});
    process->no_new_privileges = true;
    return process;
  }

  List<Mount> mounts(bool rootless) {
    const auto mount = [&](Str destination, Str type, Str source, std::initializer_list<Str> options) {
      Mount one;
      one.destination = destination;
      one.type = type;
      one.source = source;
      one.options = strings(options);
      return one;
    };
    // A user namespace with one mapped group has no group 5 (tty).
    const Mount pts = rootless
                          ? mount("/dev/pts", "devpts", "devpts",
                                  {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"})
                          : mount("/dev/pts", "devpts", "devpts",
                                  {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"});
    // sysfs belongs to the network namespace, which is the host's there.
    const Mount sys = rootless ? mount("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"})
                               : mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
    return list<Mount>({
        mount("/proc", "proc", "proc", {}),
        mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
        pts,
        mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
        mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
        sys,
        mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}),
    });
  }

  List<Namespace> namespaces(bool rootless, bool cgroup) {
    ListBuilder<Namespace> list(arena_);
    list.add({"pid", {}});
    if (!rootless) list.add({"network", {}});
    list.add({"ipc", {}});
    list.add({"uts", {}});
    list.add({"mount", {}});
    if (cgroup) list.add({"cgroup", {}});
    if (rootless) list.add({"user", {}});
    return list.list();
  }

  Linux* linux_section(const DefaultSpec& wanted) {
    auto* out = arena_.make<Linux>();
    if (wanted.rootless) {
      out->uid_mappings = list<IdMapping>({{0, wanted.uid, 1}});
      out->gid_mappings = list<IdMapping>({{0, wanted.gid, 1}});
    } else {
      DeviceRule deny;
      deny.access = "rwm";
      out->resources = arena_.make<Resources>();
      out->resources->devices = list<DeviceRule>({deny});
    }
    out->namespaces = namespaces(wanted.rootless, wanted.cgroup_namespace);
    out->masked_paths =
        strings({"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                 "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
                 "/sys/devices/virtual/tpm"});
    out->readonly_paths = strings({"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"});
    return out;
  }

 private:
  Arena& arena_;
};

}  // namespace

Spec* default_spec(Arena& arena, const DefaultSpec& wanted) {
  Builder builder(arena);
  auto* spec = arena.make<Spec>();
  spec->oci_version = kRuntimeSpecVersion;
  spec->process = builder.process();
  spec->root = arena.make<Root>();
  spec->root->path = "rootfs";
  spec->root->readonly = true;
  spec->hostname = "slip";
  spec->mounts = builder.mounts(wanted.rootless);
  spec->linux_ = builder.linux_section(wanted);
  return spec;
}

}  // namespace slipway::oci
