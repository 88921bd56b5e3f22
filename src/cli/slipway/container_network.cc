// --network and what goes with it, --dns and --add-host.
#include <arpa/inet.h>
#include <netinet/ether.h>

#include "src/cli/slipway/config_file.h"
#include "src/cli/slipway/container_options.h"
#include "src/cli/slipway/environment.h"
#include "src/cli/slipway/pairs.h"
#include "src/manager/network.h"

namespace slipway::cli {

namespace {

bool is_address(const std::string& text) {
  in6_addr parsed;
  return inet_pton(AF_INET, text.c_str(), &parsed) == 1 || inet_pton(AF_INET6, text.c_str(), &parsed) == 1;
}

/// NAME:ADDRESS, NAME=ADDRESS, NAME:[ADDRESS] or NAME:host-gateway.
Status check_extra_host(Str entry) {
  const size_t split = entry.view().find_first_of(":=");
  if (split == std::string_view::npos || split == 0)
    return Error::of(ErrorKind::usage, "bad format for add-host: \"%s\"", entry.c_str());
  std::string address(entry.view().substr(split + 1));
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  if (address != "host-gateway" && !is_address(address))
    return Error::of(ErrorKind::usage, "invalid IP address in add-host: \"%s\"", address.c_str());
  return {};
}

/// MODE, or name=NETWORK,alias=NAME,ip=ADDRESS...
Result<store::Attachment> network_option(const Call& call, Str word) {
  if (word.empty()) return Error::of(ErrorKind::usage, "no name set for network");
  store::Attachment one;
  one.network = word;
  const bool is_long = word.view().find('=') != std::string_view::npos && !word.view().starts_with("ns:");
  if (!is_long) return one;
  const auto bad = [&](const char* why, std::string_view field) {
    return Error::of(ErrorKind::usage, "invalid argument \"%s\" for --network: %s%.*s", word.c_str(), why,
                     static_cast<int>(field.size()), field.data());
  };
  one.network = Str();
  ListBuilder<Str> aliases(call.arena);
  for (const std::string_view field : csv_fields(word)) {
    const size_t equals = field.find('=');
    const std::string_view key = field.substr(0, equals);
    if (equals == std::string_view::npos || key.empty()) return bad("invalid field ", field);
    const Str value = call.arena.copy(field.substr(equals + 1));
    if (key == "name")
      one.network = value;
    else if (key == "alias")
      aliases.add(value);
    else if (key == "ip")
      one.address = value;
    else if (key == "mac-address")
      one.mac_address = value;
    else if (key == "ip6" || key == "link-local-ip" || key == "driver-opt" || key == "gw-priority")
      return Error::of(ErrorKind::unsupported, "--network: %.*s is not supported",
                       static_cast<int>(key.size()), key.data());
    else
      return bad("invalid field key ", key);
  }
  if (one.network.empty()) return bad("network name/id is not specified", "");
  one.aliases = aliases.list();
  return one;
}

/// --network-alias, --ip and --mac-address are for the first network.
Status add_options(const Call& call, store::Attachment& first) {
  const auto conflict = [](const char* option, const char* what) {
    return Error::of(ErrorKind::usage, "conflicting options: cannot specify both --%s and per-network %s",
                     option, what);
  };
  const List<Str> aliases = option_texts(call, "network-alias");
  const Str address = Str::wrap(call.args.value("ip", ""));
  const Str mac = Str::wrap(call.args.value("mac-address", ""));
  if (!aliases.empty() && !first.aliases.empty()) return conflict("network-alias", "alias");
  if (!address.empty() && !first.address.empty()) return conflict("ip", "IPv4 address");
  if (!mac.empty() && !first.mac_address.empty()) return conflict("mac-address", "MAC address");
  if (!aliases.empty()) first.aliases = aliases;
  if (!address.empty()) first.address = address;
  if (!mac.empty()) first.mac_address = mac;
  return {};
}

Status check_attachment(const store::Attachment& one, bool bridge) {
  const auto needs_bridge = [](const char* option) {
    return Error::of(ErrorKind::usage, "--%s needs a bridge network: --network NAME", option);
  };
  if (!bridge && !one.aliases.empty()) return needs_bridge("network-alias");
  if (!bridge && !one.address.empty()) return needs_bridge("ip");
  if (!bridge && !one.mac_address.empty()) return needs_bridge("mac-address");
  in_addr parsed;
  if (!one.address.empty() && inet_pton(AF_INET, one.address.c_str(), &parsed) != 1)
    return Error::of(ErrorKind::usage, "invalid IPv4 address: %s", one.address.c_str());
  if (const Str mac = one.mac_address; !mac.empty() && (mac.size != 17 || !ether_aton(mac.c_str())))
    return Error::of(ErrorKind::usage, "%s is not a valid mac address", mac.c_str());
  return {};
}

/// The networks that the options name; the configuration's when they name none.
Result<List<store::Attachment>> named_networks(const Call& call) {
  List<Str> words = option_texts(call, "network");
  if (words.empty()) words = option_texts(call, "net");
  ListBuilder<store::Attachment> all(call.arena);
  for (const Str word : words) {
    const store::Attachment one = TRY(network_option(call, word));
    for (const store::Attachment& other : all.list())
      if (other.network == one.network.view())
        return Error::of(ErrorKind::usage, "network \"%s\" is specified multiple times", one.network.c_str());
    all.add(one);
  }
  if (all.size() == 0)
    if (const ConfigFile config = TRY(read_config_file()); !config.network.empty()) {
      store::Attachment configured;
      configured.network = call.arena.copy(config.network);
      all.add(configured);
    }
  return all.list();
}

Status read_attachments(const Call& call, store::Record& record) {
  List<store::Attachment> all = TRY(named_networks(call));
  record.host.network_mode = all.empty() ? Str("default") : all[0].network;
  const bool bridge = manager::uses_bridge(record.host);
  if (all.size() > 1 && !bridge)
    return Error::of(ErrorKind::usage,
                     "conflicting options: --network %s is the only one that a container can have",
                     all[0].network.c_str());
  if (all.empty()) all = call.arena.list<store::Attachment>(1);
  if (record.host.network_mode == "default") all[0].network = store::kDefaultNetwork;
  TRY(add_options(call, all[0]));
  for (const store::Attachment& one : all) TRY(check_attachment(one, bridge));
  if (bridge) record.networks = all;
  return {};
}

}  // namespace

Status read_network(const Call& call, store::Record& record) {
  store::HostConfig& host = record.host;
  TRY(read_attachments(call, record));
  host.dns = option_texts(call, "dns");
  for (const Str address : host.dns)
    if (!is_address(address.c_str()))
      return Error::of(ErrorKind::usage,
                       "invalid argument \"%s\" for --dns: IP address is not correctly formatted",
                       address.c_str());
  host.dns_search = option_texts(call, "dns-search");
  host.dns_options = option_texts(call, "dns-option");
  if (host.dns_options.empty()) host.dns_options = option_texts(call, "dns-opt");
  host.extra_hosts = option_texts(call, "add-host");
  for (const Str entry : host.extra_hosts) TRY(check_extra_host(entry));
  return {};
}

}  // namespace slipway::cli
