#include "src/manager/cni.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "src/sys/run_program.h"

namespace slipway::manager {

namespace {

constexpr size_t kOutputLimit = 1 << 20;
constexpr const char* kVersion = "0.4.0";
// Where the distributions and the project itself put them.
constexpr const char* kDirectories[] = {"/usr/lib/cni", "/usr/libexec/cni", "/opt/cni/bin"};

bool has_plugin(const std::string& directory, const char* name) {
  return access((directory + "/" + name).c_str(), X_OK) == 0;
}

const Value& attachment_of(const Value& document, const std::string& network) {
  return document["networks"][network];
}

/// "10.88.0.2/16", and the gateway "10.88.0.1".
std::pair<std::string, std::string> address_of(const Value& document, const std::string& network) {
  const std::string& address = attachment_of(document, network)["static_ips"].items()[0].text();
  const Value& subnet = document["network_info"][network]["subnets"].items()[0];
  const std::string& text = subnet["subnet"].text();
  return {address + text.substr(text.find('/')), subnet["gateway"].text()};
}

/// The way out: on an internal network there is none.
Value routes_of(const Value& info) {
  Value routes = Value::array();
  return info["internal"].boolean() ? routes : routes.add(Value::map().set("dst", "0.0.0.0/0"));
}

/// What the plugins have made, for those that undo it.
Value result_of(const std::string& path, const Value& document, const std::string& network) {
  const auto [address, gateway] = address_of(document, network);
  Value interface = Value::map();
  interface.set("name", attachment_of(document, network)["interface_name"]).set("sandbox", path);
  Value ip = Value::map().set("version", "4").set("address", address);
  ip.set("gateway", gateway).set("interface", 0);
  Value result = Value::map().set("cniVersion", kVersion);
  result.set("interfaces", Value::array().add(std::move(interface)));
  result.set("ips", Value::array().add(std::move(ip)));
  return result.set("routes", routes_of(document["network_info"][network]));
}

Value port_mappings(const Value& document) {
  Value mappings = Value::array();
  for (const Value& port : document["port_mappings"].items()) {
    Value one = Value::map().set("hostPort", port["host_port"]).set("containerPort", port["container_port"]);
    one.set("protocol", port["protocol"]);
    if (!port["host_ip"].text().empty()) one.set("hostIP", port["host_ip"]);
    mappings.add(std::move(one));
  }
  return mappings;
}

/// The container's side of the pair that bridge has made, in netavark's words.
Value answer_of(const Value& result, const Value& document, const std::string& network) {
  const auto [address, gateway] = address_of(document, network);
  Value interface = Value::map();
  for (const Value& one : result["interfaces"].items())
    if (one["sandbox"].is_string() && !one["sandbox"].text().empty())
      interface.set("mac_address", one["mac"]);
  interface.set("subnets", Value::array().add(Value::map().set("ipnet", address).set("gateway", gateway)));
  const std::string& name = attachment_of(document, network)["interface_name"].text();
  Value answer = Value::map().set("interfaces", Value::map().set(name, std::move(interface)));
  return answer.set("dns_server_ips", Value::array());
}

}  // namespace

std::unique_ptr<Cni> Cni::find() {
  for (const char* directory : kDirectories) {
    if (!has_plugin(directory, "bridge") || !has_plugin(directory, "static") ||
        !has_plugin(directory, "portmap"))
      continue;
    auto found = std::make_unique<Cni>();
    found->directory_ = directory;
    found->has_firewall_ = has_plugin(directory, "firewall");
    return found;
  }
  return nullptr;
}

/// In the order in which they are called; to undo, in the reverse.
std::vector<Cni::Plugin> Cni::plugins_of(const Value& document, const std::string& network) const {
  const Value& info = document["network_info"][network];
  const bool internal = info["internal"].boolean();
  const auto [address, gateway] = address_of(document, network);
  Value ipam = Value::map().set("type", "static");
  ipam.set("addresses", Value::array().add(Value::map().set("address", address).set("gateway", gateway)));
  ipam.set("routes", routes_of(info));
  Value bridge = Value::map().set("bridge", info["network_interface"]).set("isGateway", true);
  bridge.set("ipMasq", !internal).set("hairpinMode", true).set("ipam", std::move(ipam));
  if (const Value& mtu = info["options"]["mtu"]; mtu.is_string()) bridge.set("mtu", atoi(mtu.text().c_str()));
  const Value& mac = attachment_of(document, network)["static_mac"];
  if (mac.is_string()) bridge.set("runtimeConfig", Value::map().set("mac", mac));
  std::vector<Plugin> plugins;
  plugins.push_back({"bridge", std::move(bridge)});
  if (!document["port_mappings"].items().empty()) {
    Value portmap = Value::map().set("snat", true);
    portmap.set("runtimeConfig", Value::map().set("portMappings", port_mappings(document)));
    plugins.push_back({"portmap", std::move(portmap)});
  }
  if (has_firewall_ && !internal) plugins.push_back({"firewall", Value::map().set("backend", "iptables")});
  return plugins;
}

Result<Value> Cni::run(const Plugin& plugin, const char* command, const std::string& path,
                       const Value& document, const std::string& network, const Value& previous) const {
  Value config = plugin.config;
  config.set("cniVersion", kVersion).set("name", network).set("type", plugin.type);
  if (!previous.is_null()) config.set("prevResult", previous);
  const std::string environment[] = {
      std::string("CNI_COMMAND=") + command,
      "CNI_CONTAINERID=" + document["container_id"].text(),
      "CNI_NETNS=" + path,
      "CNI_IFNAME=" + attachment_of(document, network)["interface_name"].text(),
      "CNI_PATH=" + directory_,
  };
  const std::string argv[] = {directory_ + "/" + plugin.type};
  const auto result = TRY(sys::run_program(argv, config.json(), kOutputLimit, environment));
  auto answer = result.output.empty() ? Result<Value>(Value()) : Value::parse(result.output);
  if (WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0)
    return std::move(answer).ctx("the answer of the CNI plugin %s", plugin.type);
  const Value* message = answer.ok() ? answer->find("msg") : nullptr;
  return Error::of(ErrorKind::failed, "CNI plugin %s: %s: %s", plugin.type, command,
                   message && message->is_string() ? message->text().c_str() : "failed");
}

Result<Value> Cni::set_up_network(const std::string& path, const Value& document,
                                  const std::string& network) const {
  Value result;
  for (const Plugin& plugin : plugins_of(document, network))
    result = TRY(run(plugin, "ADD", path, document, network, result));
  return answer_of(result, document, network);
}

Result<Value> Cni::set_up(const std::string& path, const Value& document) const {
  Value answer = Value::map();
  for (const auto& network : document["networks"].members())
    answer.set(network.key, TRY(set_up_network(path, document, network.key)));
  return answer;
}

Status Cni::tear_down_network(const std::string& path, const Value& document,
                              const std::string& network) const {
  const std::vector<Plugin> plugins = plugins_of(document, network);
  const Value made = result_of(path, document, network);
  Status first;
  for (auto plugin = plugins.rbegin(); plugin != plugins.rend(); ++plugin) {
    auto undone = run(*plugin, "DEL", path, document, network, made);
    if (!undone.ok() && first.ok()) first = std::move(undone).error();
  }
  return first;
}

Status Cni::tear_down(const std::string& path, const Value& document) const {
  Status first;
  for (const auto& network : document["networks"].members()) {
    Status undone = tear_down_network(path, document, network.key);
    if (!undone.ok() && first.ok()) first = std::move(undone);
  }
  return first;
}

}  // namespace slipway::manager
