#include "src/manager/network.h"

namespace slipway::manager {

Status check_network(const store::Record& record) {
  const std::string_view mode = record.host.network_mode;
  const bool plain =
      mode == "none" || mode == "host" || mode.starts_with("container:") || mode.starts_with("ns:");
  if (plain) return {};
  // Without a word from the user the container is merely alone.
  if (mode == "default" && record.host.port_bindings.empty() && !record.host.publish_all_ports) return {};
  if (mode == "default")
    return Error::of(ErrorKind::unsupported, "publishing ports is not supported yet: use --network host");
  return Error::of(ErrorKind::unsupported,
                   "network \"%s\" is not supported yet: use none, host, container:ID or ns:PATH",
                   record.host.network_mode.c_str());
}

}  // namespace slipway::manager
