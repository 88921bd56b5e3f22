#include "src/manager/network_backend.h"

#include "src/manager/cni.h"
#include "src/manager/netavark.h"

namespace slipway::manager {

Result<std::unique_ptr<NetworkBackend>> NetworkBackend::find(const store::Store& store,
                                                             std::string_view name) {
  std::unique_ptr<NetworkBackend> found;
  if (name.empty() || name == "netavark") found = Netavark::find(store.run_root() + "/netavark");
  if (!found && (name.empty() || name == "cni")) found = Cni::find();
  if (found) return found;
  if (name.empty())
    return Error::of(
        ErrorKind::unsupported,
        "bridge networks need netavark or the CNI plugins, and neither is installed: use --network "
        "none, host, container:ID or ns:PATH");
  if (name == "netavark" || name == "cni")
    return Error::of(
        ErrorKind::unsupported, "network-backend: %s is not installed",
        name == "cni" ? "a directory with the CNI plugins bridge, static and portmap" : "netavark");
  return Error::of(ErrorKind::usage, "network-backend: `%.*s` is not known: netavark or cni",
                   static_cast<int>(name.size()), name.data());
}

Value NetworkBackend::describe(const store::Network& network) const {
  Value subnets = Value::array();
  for (const store::Subnet& subnet : network.subnets)
    subnets.add(Value::map().set("subnet", subnet.subnet).set("gateway", subnet.gateway));
  Value out = Value::map();
  out.set("name", network.name).set("id", network.id).set("driver", "bridge");
  out.set("network_interface", network.interface).set("subnets", std::move(subnets));
  out.set("ipv6_enabled", false).set("internal", network.internal);
  out.set("dns_enabled", serves_names(network));
  if (const Str* mtu = network.options.find(store::kMtuOption))
    out.set("options", Value::map().set("mtu", *mtu));
  return out.set("ipam_options", Value::map().set("driver", "host-local"));
}

}  // namespace slipway::manager
