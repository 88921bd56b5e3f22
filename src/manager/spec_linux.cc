// Namespaces, confinement and sysctls of a container.
#include <sys/statfs.h>

#include <initializer_list>

#include "src/manager/capabilities.h"
#include "src/manager/observe.h"
#include "src/manager/seccomp_profile.h"
#include "src/manager/spec.h"
#include "src/store/containers.h"

namespace slipway::manager {

namespace {

constexpr const char* kMasked[] = {"/proc/asound",     "/proc/acpi",        "/proc/interrupts",
                                   "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
                                   "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
                                   "/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap"};
constexpr const char* kReadOnly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                     "/proc/sysrq-trigger"};

template <size_t N>
List<Str> list_of(const char* const (&texts)[N], Arena& arena) {
  List<Str> list = arena.list<Str>(N);
  for (size_t i = 0; i < N; ++i) list[i] = Str::wrap(texts[i]);
  return list;
}

bool shows_system_paths(const store::HostConfig& host) {
  for (const Str text : host.security_opt)
    if (text == "systempaths=unconfined") return true;
  return host.privileged;
}

/// A namespace of the container by its mode: "host", "container:ID", "ns:PATH", or one of its own.
Status add_namespace(const SpecInputs& in, ListBuilder<oci::Namespace>& out, Str type, const char* name,
                     std::string_view mode) {
  if (mode == "host") return {};
  oci::Namespace ns;
  ns.type = type;
  if (mode.starts_with("container:")) ns.path = TRY(namespace_of(in.store, mode, name, in.arena));
  if (mode.starts_with("ns:")) ns.path = in.arena.copy(mode.substr(3));
  out.add(ns);
  return {};
}

Result<List<oci::Namespace>> namespaces(const SpecInputs& in) {
  const store::HostConfig& host = in.record.host;
  ListBuilder<oci::Namespace> list(in.arena);
  TRY(add_namespace(in, list, "mount", "mnt", ""));
  if (in.network_path.empty()) {
    TRY(add_namespace(in, list, "network", "net", host.network_mode));
  } else {
    oci::Namespace network;
    network.type = "network";
    network.path = in.network_path;
    list.add(network);
  }
  TRY(add_namespace(in, list, "uts", "uts", host.uts_mode));
  TRY(add_namespace(in, list, "pid", "pid", host.pid_mode));
  TRY(add_namespace(in, list, "ipc", "ipc", host.ipc_mode));
  if (has_cgroup_namespace(host)) TRY(add_namespace(in, list, "cgroup", "cgroup", ""));
  return list.list();
}

/// docker's: everybody may ping and bind low ports in a network namespace of the container's own.
Map<Str> sysctls(const SpecInputs& in) {
  const store::HostConfig& host = in.record.host;
  ListBuilder<Entry<Str>> list(in.arena);
  const auto add_default = [&](Str key, Str value) {
    if (!host.sysctls.find(key)) list.add({key, value});
  };
  const std::string_view mode = host.network_mode;
  if (mode != "host" && !mode.starts_with("container:") && !mode.starts_with("ns:")) {
    add_default("net.ipv4.ip_unprivileged_port_start", "0");
    add_default("net.ipv4.ping_group_range", "0 2147483647");
  }
  for (const Entry<Str>& entry : host.sysctls) list.add(entry);
  Map<Str> map;
  static_cast<List<Entry<Str>>&>(map) = list.list();
  return map;
}

/// Shared and slave volumes reach the container only through a root of the same kind.
Str root_propagation(const store::Record& record) {
  bool slave = false;
  for (const store::MountPoint& mount : record.mounts) {
    if (mount.propagation == "shared" || mount.propagation == "rshared") return "shared";
    if (mount.propagation == "slave" || mount.propagation == "rslave") slave = true;
  }
  return slave ? Str("rslave") : Str();
}

}  // namespace

List<Str> masked_paths(const store::HostConfig& host, Arena& arena) {
  return shows_system_paths(host) ? List<Str>() : list_of(kMasked, arena);
}
List<Str> read_only_paths(const store::HostConfig& host, Arena& arena) {
  return shows_system_paths(host) ? List<Str>() : list_of(kReadOnly, arena);
}

std::string container_cgroup(std::string_view parent, std::string_view id) {
  if (parent.empty()) parent = "slipway";
  std::string path(parent.starts_with('/') ? "" : "/");
  return path.append(parent).append("/").append(id);
}

bool has_cgroup_namespace(const store::HostConfig& host) {
  if (host.cgroupns_mode == "private") return true;
  if (host.cgroupns_mode == "host" || host.privileged) return false;
  struct statfs fs = {};
  constexpr auto kCgroup2Magic = 0x63677270;
  return statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == kCgroup2Magic;
}

Result<Str> namespace_of(store::Store& store, std::string_view mode, const char* name, Arena& arena) {
  const std::string_view id = mode.substr(mode.find(':') + 1);
  const Observed other = TRY(observe(store, id, arena));
  if (!other.is_running())
    return Error::of(ErrorKind::in_use,
                     "cannot join namespace of a non running container: container %s is %s",
                     std::string(id).c_str(), to_string(other.status));
  return arena.format("/proc/%d/ns/%s", other.state->pid, name);
}

Result<oci::Linux*> spec_linux(const SpecInputs& in) {
  const store::HostConfig& host = in.record.host;
  auto* out = in.arena.make<oci::Linux>();
  out->namespaces = TRY(namespaces(in));
  out->resources = TRY(spec_resources(host, in.arena));
  TRY(spec_devices(host, *out, in.arena));
  out->sysctl = sysctls(in);
  out->cgroups_path = in.arena.copy(container_cgroup(host.cgroup_parent, in.record.id));
  out->rootfs_propagation = root_propagation(in.record);
  out->masked_paths = masked_paths(host, in.arena);
  out->readonly_paths = read_only_paths(host, in.arena);
  const List<Str> capabilities = TRY(effective_capabilities(host, in.arena));
  out->seccomp = TRY(seccomp_for(host, capabilities, in.arena));
  return out;
}

}  // namespace slipway::manager
