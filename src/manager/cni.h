// CNI plugins (the CNI specification, 0.4.0): small programs that each do one thing to a network namespace. Of each network bridge
// makes the interface, static says its address, portmap publishes ports, and firewall, where it is installed, lets the host forward.
//
// Addresses are leased by us (networks.h), so that nothing needs to be given back to a plugin. They have no name server.
#pragma once

#include "src/manager/network_backend.h"

namespace slipway::manager {

class Cni final : public NetworkBackend {
 public:
  /// Null when the plugins are not installed.
  static std::unique_ptr<Cni> find();

  const char* name() const override { return "cni"; }
  bool serves_names(const store::Network&) const override { return false; }
  Result<Value> set_up(const std::string& path, const Value& document) const override;
  Status tear_down(const std::string& path, const Value& document) const override;

 private:
  struct Plugin {
    const char* type;
    Value config;
  };
  std::vector<Plugin> plugins_of(const Value& document, const std::string& network) const;
  Result<Value> set_up_network(const std::string& path, const Value& document,
                               const std::string& network) const;
  Status tear_down_network(const std::string& path, const Value& document, const std::string& network) const;
  Result<Value> run(const Plugin& plugin, const char* command, const std::string& path, const Value& document,
                    const std::string& network, const Value& previous) const;

  std::string directory_;
  bool has_firewall_ = false;
};

}  // namespace slipway::manager
