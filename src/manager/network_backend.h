// What fills the network namespaces of containers: a program, or several, that others have written.
#pragma once

#include <memory>
#include <string>

#include "src/base/result.h"
#include "src/base/value.h"
#include "src/store/networks.h"
#include "src/store/store.h"

namespace slipway::manager {

/// One that is installed. Documents are those that netavark reads and prints (netavark(1)): {"container_id", "container_name",
/// "networks": {NAME: {"interface_name", "static_ips", "static_mac", "aliases"}}, "network_info": {NAME: describe()},
/// "port_mappings": [{"container_port", "host_ip", "host_port", "protocol", "range"}]}.
class NetworkBackend {
 public:
  virtual ~NetworkBackend() = default;

  /// The one that `name` says: "netavark", "cni", or "" for the first of the two that is installed. Errors: unsupported when it is not.
  static Result<std::unique_ptr<NetworkBackend>> find(const store::Store& store, std::string_view name);

  virtual const char* name() const = 0;
  /// Whether containers on the network find each other by name: not on the default one, as with docker.
  virtual bool serves_names(const store::Network& network) const = 0;
  /// Attaches the namespace at `path`; the result is {NAME: {"interfaces": {INTERFACE: {"mac_address", "subnets": [{"ipnet",
  /// "gateway"}]}}, "dns_server_ips"}}.
  virtual Result<Value> set_up(const std::string& path, const Value& document) const = 0;
  /// As far as it can be undone; the error is the first.
  virtual Status tear_down(const std::string& path, const Value& document) const = 0;

  /// One network as the document wants it, below "network_info".
  Value describe(const store::Network& network) const;
};

}  // namespace slipway::manager
