#include "src/manager/checks.h"

#include <algorithm>
#include <string>

#include "src/manager/capabilities.h"
#include "src/store/containers.h"
#include "src/store/networks.h"

namespace slipway::manager {

namespace {

using store::HostConfig;
using store::MountPoint;
using store::Record;

/// "container:NAME" becomes "container:ID".
Status resolve_shared(store::Store& store, Str& mode, Arena& arena) {
  constexpr std::string_view kPrefix = "container:";
  if (!mode.view().starts_with(kPrefix)) return {};
  const std::string id = TRY(store::Containers(store).find(mode.view().substr(kPrefix.size())));
  mode = arena.format("container:%s", id.c_str());
  return {};
}

/// The memory of others is shared only by those who offer it.
Status check_shared_ipc(store::Store& store, const HostConfig& host, Arena& arena) {
  constexpr std::string_view kPrefix = "container:";
  if (!host.ipc_mode.view().starts_with(kPrefix)) return {};
  const Record* donor =
      TRY(store::Containers(store).load(host.ipc_mode.view().substr(kPrefix.size()), arena));
  const std::string_view mode = donor->host.ipc_mode;
  if (mode == "shareable" || mode == "host" || mode.starts_with(kPrefix)) return {};
  return Error::of(
      ErrorKind::invalid,
      "cannot join IPC of container %s: non-shareable IPC (hint: use IpcMode:shareable for the donor "
      "container)",
      donor->name.c_str());
}

/// The networks must be there, and are noted by their names.
Status resolve_networks(store::Store& store, Record& record, Arena& arena) {
  store::Networks networks(store);
  for (store::Attachment& attachment : record.networks) {
    const store::Network* network = TRY(networks.find(attachment.network, arena));
    attachment.network = network->name;
  }
  if (!record.networks.empty() && record.host.network_mode != "default")
    record.host.network_mode = record.networks[0].network;
  return {};
}

Status check_network(const Record& record) {
  const std::string_view mode = record.host.network_mode;
  const bool shared = mode.starts_with("container:");
  if (!shared && mode != "host") return {};
  if (!record.host.port_bindings.empty() && shared)
    return Error::of(ErrorKind::usage,
                     "conflicting options: port publishing and the container type network mode");
  if (shared && !record.config.hostname.empty())
    return Error::of(ErrorKind::usage, "conflicting options: hostname and the network mode");
  if (shared && (!record.host.dns.empty() || !record.host.extra_hosts.empty()))
    return Error::of(ErrorKind::usage, "conflicting options: %s and the network mode",
                     record.host.dns.empty() ? "custom host-to-IP mapping" : "dns");
  return {};
}

/// --volumes-from CONTAINER[:ro|:rw].
Status add_volumes_from(store::Store& store, Record& record, Arena& arena) {
  ListBuilder<MountPoint> mounts(arena);
  for (const MountPoint& mount : record.mounts) mounts.add(mount);
  for (const Str word : record.host.volumes_from) {
    const size_t colon = word.view().find(':');
    const std::string_view mode = colon == std::string_view::npos ? "" : word.view().substr(colon + 1);
    if (!mode.empty() && mode != "ro" && mode != "rw")
      return Error::of(ErrorKind::usage, "invalid mode for volumes-from: %s", std::string(mode).c_str());
    store::Containers containers(store);
    const std::string id = TRY(containers.find(word.view().substr(0, colon)));
    const Record* other = TRY(containers.load(id, arena));
    for (MountPoint mount : other->mounts) {
      const auto same = [&](const MountPoint& mine) { return mine.destination == mount.destination; };
      const List<MountPoint> taken = mounts.list();
      if (mount.type == "tmpfs" || std::any_of(taken.begin(), taken.end(), same)) continue;
      if (mode == "ro") mount.read_only = true;
      mount.no_copy = true;
      mount.anonymous = false;  // it belongs to the other container
      mounts.add(mount);
    }
  }
  record.mounts = mounts.list();
  return {};
}

Status check_security(const HostConfig& host) {
  for (const Str option : host.security_opt) {
    const std::string_view text = option;
    const size_t split = text.find_first_of("=:");
    const std::string_view key = text.substr(0, split);
    const std::string_view value = split == std::string_view::npos ? "" : text.substr(split + 1);
    if (key == "no-new-privileges" || key == "seccomp" || key == "label" || key == "disable") continue;
    if (key == "systempaths" && value == "unconfined") continue;
    if (key == "apparmor") continue;
    return Error::of(ErrorKind::usage, "invalid --security-opt 2: \"%s\"", option.c_str());
  }
  return {};
}

}  // namespace

Status check_request(store::Store& store, Record& record, Arena& arena) {
  HostConfig& host = record.host;
  for (Str* mode : {&host.network_mode, &host.pid_mode, &host.ipc_mode, &host.uts_mode})
    TRY(resolve_shared(store, *mode, arena));
  TRY(check_shared_ipc(store, host, arena));
  TRY(check_network(record));
  TRY(resolve_networks(store, record, arena));
  if (host.uts_mode == "host" && !record.config.hostname.empty())
    return Error::of(ErrorKind::usage, "conflicting options: hostname and the UTS mode");
  TRY(check_security(host));
  TRY(effective_capabilities(host, arena));
  return add_volumes_from(store, record, arena);
}

}  // namespace slipway::manager
