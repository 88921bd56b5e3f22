// `network create`, `ls`, `inspect`, `rm`, `prune`, `connect` and `disconnect`.
#include <algorithm>
#include <cstdlib>

#include "src/cli/slipway/confirm.h"
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/name_filter.h"
#include "src/cli/slipway/network_value.h"
#include "src/cli/slipway/pairs.h"
#include "src/cli/slipway/prune.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/events.h"
#include "src/manager/network.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/store/networks.h"

namespace slipway::cli {

namespace {

constexpr auto kCreateOptions = std::to_array<Option>({
    value("driver", 'd', "NAME", "only bridge"),
    list("subnet", 0, "ADDRESS/BITS", "the network's addresses (IPv4)"),
    list("gateway", 0, "ADDRESS", "the host's address on it (default: the subnet's first)"),
    list("ip-range", 0, "ADDRESS/BITS", "where in the subnet containers get their addresses"),
    flag("internal", 0, "no way out of the network"),
    flag("attachable", 0, "noted for who inspects it: every container may be attached"),
    list("label", 0, "KEY=VALUE", "a label"),
    list("opt", 'o', "KEY=VALUE",
         "com.docker.network.bridge.name=INTERFACE or com.docker.network.driver.mtu=BYTES"),
    // docker's, of which there is no more than what is usual.
    Option{"scope", 0, "SCOPE", "", Option::Kind::hidden_value},
    Option{"ipam-driver", 0, "NAME", "", Option::Kind::hidden_value},
    Option{"ipam-opt", 0, "KEY=VALUE", "", Option::Kind::hidden_value},
    Option{"aux-address", 0, "NAME=ADDRESS", "", Option::Kind::hidden_value},
    Option{"ipv6", 0, nullptr, "", Option::Kind::hidden},
});
constexpr auto kLsOptions = std::to_array<Option>({
    flag("quiet", 'q', "only ids"),
    flag("no-trunc", 0, "do not shorten ids"),
    list("filter", 'f', "KEY=VALUE", "name, id, label, driver, type, scope, dangling"),
    value("format", 0, "TEMPLATE", "table, json, or a Go template"),
});
constexpr auto kInspectOptions = std::to_array<Option>({
    value("format", 'f', "TEMPLATE", "print with a Go template, or json"),
    Option{"verbose", 'v', nullptr, "", Option::Kind::hidden},
});
constexpr auto kRmOptions = std::to_array<Option>({
    flag("force", 'f', "no error when it does not exist"),
});
constexpr auto kPruneOptions = std::to_array<Option>({
    flag("force", 'f', "do not ask"),
    list("filter", 0, "KEY=VALUE", "until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE]"),
});
constexpr auto kConnectOptions = std::to_array<Option>({
    value("ip", 0, "ADDRESS", "the container's address on the network"),
    list("alias", 0, "NAME", "a further name of the container on the network"),
});
constexpr auto kDisconnectOptions = std::to_array<Option>({
    flag("force", 'f', "accepted: there is no daemon to disagree"),
});

constexpr const char* kLsFilters[] = {"name", "id", "label", "driver", "type", "scope", "dangling"};
constexpr Column kColumns[] = {{"ID", "NETWORK ID"}, {"Name", "NAME"},         {"Driver", "DRIVER"},
                               {"Scope", "SCOPE"},   {"Internal", "INTERNAL"}, {"CreatedAt", "CREATED AT"},
                               {"Labels", "LABELS"}, {"IPv6", "IPV6"}};

/// `container`: which one is connected or disconnected.
void network_event(const store::Store& store, const char* action, const store::Network& network,
                   std::string_view container = {}) {
  if (container.empty())
    return manager::object_event(store, "network", action, network.id,
                                 {{"name", network.name}, {"type", network.driver}});
  manager::object_event(store, "network", action, network.id,
                        {{"container", container}, {"name", network.name}, {"type", network.driver}});
}

Status check_usual(const Arguments& args) {
  if (args.flag("ipv6"))
    return Error::of(ErrorKind::unsupported, "--ipv6 is not supported: networks have IPv4 addresses only");
  for (const char* option : {"aux-address", "ipam-opt"})
    if (args.given(option)) return Error::of(ErrorKind::unsupported, "--%s is not supported", option);
  for (const auto& [option, usual] : {std::pair("scope", "local"), std::pair("ipam-driver", "default")})
    if (const std::string_view text = args.value(option, usual); text != usual)
      return Error::of(ErrorKind::unsupported, "--%s: only %s is supported", option, usual);
  return {};
}

/// An option of docker's driver: a bridge's name, the largest packet, or what holds for all networks here.
Status read_driver_option(const Entry<Str>& option, store::Network& network) {
  const std::string_view key = option.key;
  if (key == "com.docker.network.bridge.name") {
    if (option.value.size > 15)
      return Error::of(ErrorKind::usage, "an interface's name has at most 15 characters");
    network.interface = option.value;
    return {};
  }
  const bool always = key == "com.docker.network.bridge.enable_icc" ||
                      key == "com.docker.network.bridge.enable_ip_masquerade";
  if (always && option.value == "true") return {};
  if (key != store::kMtuOption)
    return Error::of(ErrorKind::unsupported, "network option \"%s=%s\" is not supported", option.key.c_str(),
                     option.value.c_str());
  char* end = nullptr;
  const long mtu = strtol(option.value.c_str(), &end, 10);
  if (option.value.empty() || *end || mtu < 68 || mtu > 65535)
    return Error::of(ErrorKind::usage, "invalid MTU \"%s\": 68 to 65535", option.value.c_str());
  return {};
}

Result<int> run_create(const Call& call) {
  TRY(check_usual(call.args));
  if (std::string_view(call.args.value("driver", "bridge")) != "bridge")
    return Error::of(ErrorKind::unsupported, "network driver \"%s\": only bridge is supported",
                     call.args.value("driver"));
  store::Network network;
  network.name = Str::wrap(call.args[0]);
  network.internal = call.args.flag("internal");
  network.attachable = call.args.flag("attachable");
  network.labels = TRY(read_pairs(call, "label"));
  network.options = TRY(read_pairs(call, "opt"));
  for (const Entry<Str>& option : network.options) TRY(read_driver_option(option, network));
  const List<const char*> subnets = call.args.values("subnet", call.arena);
  const List<const char*> gateways = call.args.values("gateway", call.arena);
  const List<const char*> ranges = call.args.values("ip-range", call.arena);
  if (gateways.size() > subnets.size() || ranges.size() > subnets.size())
    return Error::of(ErrorKind::invalid, "every ip-range or gateway must have a corresponding subnet");
  network.subnets = call.arena.list<store::Subnet>(subnets.size());
  for (uint32_t i = 0; i < subnets.size(); ++i) {
    network.subnets[i].subnet = Str::wrap(subnets[i]);
    if (i < gateways.size()) network.subnets[i].gateway = Str::wrap(gateways[i]);
    if (i < ranges.size()) network.subnets[i].ip_range = Str::wrap(ranges[i]);
  }
  const auto store = TRY(open_store(call));
  TRY(store::Networks(*store).create(network, call.arena));
  network_event(*store, "create", network);
  TRY(print(std::string(network.id.view()) + "\n"));
  return 0;
}

/// The containers whose records name the network; with `running`, those that run.
Result<std::vector<store::Record*>> users(store::Store& store, std::string_view network, bool running,
                                          Arena& arena) {
  std::vector<store::Record*> found;
  store::Containers containers(store);
  for (const std::string& id : TRY(containers.list())) {
    auto record = containers.load(id, arena);
    if (!record.ok()) continue;
    const List<store::Attachment>& all = (*record)->networks;
    if (std::none_of(all.begin(), all.end(),
                     [&](const store::Attachment& one) { return one.network == network; }))
      continue;
    if (running) {
      auto observed = manager::observe(store, id, arena);
      if (!observed.ok() || !observed->is_running()) continue;
    }
    found.push_back(*record);
  }
  return found;
}

/// docker words it differently where a network is what the verb is about.
Result<store::Network*> find_network(store::Store& store, std::string_view word, Arena& arena) {
  auto network = store::Networks(store).find(word, arena);
  if (network.ok() || network.error().kind() != ErrorKind::not_found) return network;
  return Error::of(ErrorKind::not_found, "No such network: %s", std::string(word).c_str());
}

Value network_row(const store::Network& network, bool truncate) {
  Value row = Value::object();
  row.set("ID", truncate ? store::short_id(network.id) : network.id.view());
  row.set("Name", network.name).set("Driver", network.driver).set("Scope", "local");
  row.set("Internal", network.internal ? "true" : "false").set("IPv6", "false");
  row.set("CreatedAt", Value::time(network.created).printed_text())
      .set("\x01labels", Value::map_of(network.labels));
  return row.set("Labels", joined_pairs(network.labels));
}

/// The networks that docker lists beside the bridges.
store::Network fixed_network(const char* name, const char* driver, const char* id) {
  store::Network network;
  network.name = Str::wrap(name);
  network.id = Str::wrap(id);
  network.driver = Str::wrap(driver);
  network.created = "0001-01-01T00:00:00Z";
  return network;
}

const store::Network kHost = fixed_network("host", "host", store::kHostNetworkId);
const store::Network kNone = fixed_network("none", "null", store::kNoneNetworkId);

bool is_builtin(const store::Network& network) {
  return network.created.view().starts_with("0001");
}

bool matches(const Filters& filters, const NameFilter& names, const store::Network& network) {
  return filters.labels(network.labels) && names.fit(std::string(network.name.view())) &&
         filters.any("id", [&](std::string_view part) { return network.id.view().starts_with(part); }) &&
         filters.any("driver", [&](std::string_view name) { return network.driver == name; }) &&
         filters.any(
             "type",
             [&](std::string_view type) { return type == (is_builtin(network) ? "builtin" : "custom"); }) &&
         filters.any("scope", [](std::string_view scope) { return scope == "local"; });
}

Result<int> run_ls(const Call& call) {
  const Filters filters = TRY(Filters::parse(call.args.values("filter", call.arena), kLsFilters));
  const NameFilter names = TRY(NameFilter::compile(filters.values("name")));
  for (const std::string_view type : filters.values("type"))
    if (type != "custom" && type != "builtin")
      return Error::of(ErrorKind::invalid, "invalid filter: 'type'='%s'", std::string(type).c_str());
  const auto store = TRY(open_store(call));
  std::vector<const store::Network*> all = {&kHost, &kNone};
  for (store::Network* network : TRY(store::Networks(*store).list(call.arena))) all.push_back(network);
  std::sort(all.begin(), all.end(),
            [](const auto* a, const auto* b) { return a->name.view() < b->name.view(); });
  const bool truncate = !call.args.flag("no-trunc");
  std::vector<Value> rows;
  std::string ids;
  for (const store::Network* network : all) {
    if (!matches(filters, names, *network)) continue;
    if (filters.has("dangling") &&
        (is_builtin(*network) || TRY(users(*store, network->name, false, call.arena)).empty() !=
                                     TRY(parse_bool(filters.values("dangling").back()))))
      continue;
    rows.push_back(network_row(*network, truncate));
    ids.append(rows.back()["ID"].text()).append("\n");
  }
  if (call.args.flag("quiet"))
    TRY(print(ids));
  else
    TRY(print_rows(call.args.value("format", ""), "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
                   kColumns, rows));
  return 0;
}

Result<int> run_inspect(const Call& call) {
  const auto store = TRY(open_store(call));
  const char* format = call.args.value("format");
  Value all = Value::array();
  const int code = for_each_argument(call, [&](std::string_view name) -> Status {
    Value value = TRY(network_value(*store, name, call.arena));
    if (format) return print_formatted(format, value);
    all.add(std::move(value));
    return {};
  });
  if (!format) TRY(print(all.pretty_json() + "\n"));
  return code;
}

Status remove_network(store::Store& store, const store::Network& network, Arena& arena) {
  if (network.name == store::kDefaultNetwork)
    return Error::of(ErrorKind::in_use, "%s is a pre-defined network and cannot be removed",
                     network.name.c_str());
  const std::vector<store::Record*> running = TRY(users(store, network.name, true, arena));
  if (!running.empty())
    return Error::of(ErrorKind::in_use, "error while removing network: network %s has active endpoints (%s)",
                     network.name.c_str(), running[0]->name.c_str());
  TRY(store::Networks(store).remove(network.name));
  network_event(store, "destroy", network);
  return {};
}

Result<int> run_rm(const Call& call) {
  const auto store = TRY(open_store(call));
  return for_each_argument(call, [&](std::string_view word) -> Status {
    if (word == "none" || word == "host")
      return Error::of(ErrorKind::in_use, "%s is a pre-defined network and cannot be removed",
                       std::string(word).c_str());
    auto network = find_network(*store, word, call.arena);
    if (!network.ok() && network.error().kind() == ErrorKind::not_found && call.args.flag("force")) return {};
    if (!network.ok()) return std::move(network).error();
    TRY(remove_network(*store, **network, call.arena));
    return print(std::string(word) + "\n");
  });
}

Result<int> run_prune(const Call& call) {
  const PruneFilters filters = TRY(PruneFilters::read(call));
  if (!call.args.flag("force") &&
      !TRY(confirm("WARNING! This will remove all custom networks not used by at least one container.")))
    return 0;
  const auto store = TRY(open_store(call));
  std::string text;
  TRY(prune_networks(*store, filters, &text));
  TRY(print(text));
  return 0;
}

struct Target {
  store::Network* network = nullptr;
  store::Record* record = nullptr;
  Fd dir;       // the container's, locked
  int pid = 0;  // of its init, when it runs
};

Result<Target> find_target(const Call& call, store::Store& store) {
  Target target;
  store::Containers containers(store);
  target.network = TRY(store::Networks(store).find(call.args[0], call.arena));
  const std::string id = TRY(containers.find(call.args[1]));
  target.dir = TRY(containers.lock(id));
  target.record = TRY(containers.load(id, call.arena));
  const auto observed = TRY(manager::observe(store, id, call.arena));
  if (observed.is_running()) target.pid = observed.state->pid;
  return target;
}

/// The record's attachments but the one to `network`.
ListBuilder<store::Attachment> others(const Target& target, Arena& arena) {
  ListBuilder<store::Attachment> rest(arena);
  for (const store::Attachment& one : target.record->networks)
    if (one.network != target.network->name.view()) rest.add(one);
  return rest;
}

Result<int> run_connect(const Call& call) {
  const auto store = TRY(open_store(call));
  Target target = TRY(find_target(call, *store));
  const std::string_view mode = target.record->host.network_mode;
  if (mode == "host" || mode.starts_with("container:") || mode.starts_with("ns:"))
    return Error::of(ErrorKind::in_use,
                     "container sharing network namespace with another container or host "
                     "cannot be connected to any other network");
  ListBuilder<store::Attachment> all = others(target, call.arena);
  if (all.size() != target.record->networks.size())
    return Error::of(ErrorKind::exists, "endpoint with name %s already exists in network %s",
                     target.record->name.c_str(), target.network->name.c_str());
  store::Attachment attachment;
  attachment.network = target.network->name;
  attachment.address = Str::wrap(call.args.value("ip", ""));
  ListBuilder<Str> aliases(call.arena);
  for (const char* alias : call.args.values("alias", call.arena)) aliases.add(Str::wrap(alias));
  aliases.add(target.record->name);
  attachment.aliases = aliases.list();
  if (target.pid)
    TRY(manager::attach_network(*store, *target.record, target.pid, *target.network, attachment));
  all.add(attachment);
  if (mode == "default" || mode == "none") target.record->host.network_mode = target.network->name;
  target.record->networks = all.list();
  TRY(store::Containers(*store).save_record(target.dir.get(), *target.record));
  network_event(*store, "connect", *target.network, target.record->id);
  return 0;
}

Result<int> run_disconnect(const Call& call) {
  const auto store = TRY(open_store(call));
  Target target = TRY(find_target(call, *store));
  const ListBuilder<store::Attachment> rest = others(target, call.arena);
  if (rest.size() == target.record->networks.size())
    return Error::of(ErrorKind::not_found, "container %s is not connected to network %s", call.args[1],
                     target.network->name.c_str());
  if (target.pid) TRY(manager::detach_network(*store, target.record->id, target.pid, target.network->name));
  target.record->networks = rest.list();
  target.record->host.network_mode = rest.size() ? rest.list()[0].network : Str("none");
  TRY(store::Containers(*store).save_record(target.dir.get(), *target.record));
  network_event(*store, "disconnect", *target.network, target.record->id);
  return 0;
}

constexpr Verb kLsVerb = {
    "network ls", "", "List networks", kLsOptions, 0, 0, false, run_ls, "network ls --filter driver=bridge"};
constexpr Verb kRmVerb = {"network rm", "NETWORK...", "Remove networks", kRmOptions, 1, kNoLimit,
                          false,        run_rm,       "network rm front"};

}  // namespace

Result<Value> network_value(store::Store& store, std::string_view word, Arena& arena) {
  const store::Network* network = word == "host" ? &kHost : word == "none" ? &kNone : nullptr;
  if (!network) network = TRY(find_network(store, word, arena));
  Value pools = Value::array();
  for (const store::Subnet& subnet : network->subnets)
    pools.add(Value::object()
                  .set("Subnet", subnet.subnet)
                  .set("IPRange", subnet.ip_range.empty() ? Value::omitted("") : Value(subnet.ip_range))
                  .set("Gateway", subnet.gateway)
                  .set("AuxiliaryAddresses", Value::omitted("map[]")));
  Value containers = Value::map();
  for (const store::Record* record : TRY(users(store, network->name, true, arena))) {
    const Value status = manager::network_status(store, record->id)["networks"][network->name];
    Value one = Value::object();
    one.set("Name", record->name).set("EndpointID", "").set("MacAddress", status["mac"]);
    std::string address;
    if (status["address"].is_string())
      address = status["address"].text() + "/" + std::to_string(status["prefix"].integer());
    containers.set(record->id, one.set("IPv4Address", address).set("IPv6Address", ""));
  }
  Value out = Value::object();
  out.set("Name", network->name).set("Id", network->id).set("Created", Value::time(network->created));
  out.set("Scope", "local").set("Driver", network->driver).set("EnableIPv6", false);
  out.set("IPAM", Value::object().set("Driver", "default").set("Options", Value::map()).set("Config", pools));
  out.set("Internal", network->internal).set("Attachable", network->attachable).set("Ingress", false);
  out.set("ConfigFrom", Value::object().set("Network", "")).set("ConfigOnly", false);
  out.set("Containers", std::move(containers)).set("Options", Value::map_of(network->options));
  out.set("Peers", Value::omitted("[]"));
  return out.set("Labels", Value::map_of(network->labels));
}

Status prune_networks(store::Store& store, const PruneFilters& filters, std::string* text) {
  Arena arena;
  std::string removed;
  for (const store::Network* network : TRY(store::Networks(store).list(arena))) {
    auto created = store::parse_rfc3339(network->created);
    if (is_builtin(*network) || !filters.fit(created.ok() ? created->seconds : 0, network->labels)) continue;
    if (!TRY(users(store, network->name, false, arena)).empty()) continue;
    if (remove_network(store, *network, arena).ok()) removed.append(network->name.view()).append("\n");
  }
  manager::prune_event(store, "network", 0);
  if (!removed.empty()) text->append("Deleted Networks:\n").append(removed).append("\n");
  return {};
}

const Verb kNetworkConnect = {"network connect",
                              "NETWORK CONTAINER",
                              "Attach a container to a network",
                              kConnectOptions,
                              2,
                              2,
                              false,
                              run_connect,
                              "network connect --alias db back web"};
const Verb kNetworkCreate = {"network create",
                             "NETWORK",
                             "Create a network",
                             kCreateOptions,
                             1,
                             1,
                             false,
                             run_create,
                             "network create --subnet 10.89.7.0/24 back"};
const Verb kNetworkDisconnect = {"network disconnect",
                                 "NETWORK CONTAINER",
                                 "Detach a container from a network",
                                 kDisconnectOptions,
                                 2,
                                 2,
                                 false,
                                 run_disconnect,
                                 "network disconnect back web"};
const Verb kNetworkInspect = {"network inspect",
                              "NETWORK...",
                              "Show everything about networks",
                              kInspectOptions,
                              1,
                              kNoLimit,
                              false,
                              run_inspect,
                              "network inspect back"};
const Verb kNetworkLs = kLsVerb;
const Verb kNetworkList = as("network list", kLsVerb);
const Verb kNetworkPrune = {"network prune", "",        "Remove networks that no container uses",
                            kPruneOptions,   0,         0,
                            false,           run_prune, "network prune -f"};
const Verb kNetworkRm = kRmVerb;
const Verb kNetworkRemove = as("network remove", kRmVerb);

}  // namespace slipway::cli
