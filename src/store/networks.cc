#include "src/store/networks.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/store/lock.h"
#include "src/store/removal.h"
#include "src/sys/file.h"
#include "src/sys/remove_tree.h"

JSON_OBJECT(slipway::store::Subnet, JSON_FIELD(slipway::store::Subnet, subnet, "Subnet"),
            JSON_FIELD(slipway::store::Subnet, gateway, "Gateway"),
            JSON_FIELD(slipway::store::Subnet, ip_range, "IPRange"));
JSON_OBJECT(slipway::store::Network, JSON_FIELD(slipway::store::Network, name, "Name"),
            JSON_FIELD(slipway::store::Network, id, "Id"),
            JSON_FIELD(slipway::store::Network, created, "Created"),
            JSON_FIELD(slipway::store::Network, driver, "Driver"),
            JSON_FIELD(slipway::store::Network, interface, "Interface"),
            JSON_FIELD(slipway::store::Network, subnets, "Subnets"),
            JSON_FIELD(slipway::store::Network, internal, "Internal"),
            JSON_FIELD(slipway::store::Network, attachable, "Attachable"),
            JSON_FIELD(slipway::store::Network, labels, "Labels"),
            JSON_FIELD(slipway::store::Network, options, "Options"));

namespace slipway::store {

const json::Type kNetworkType = json::type<Network>;

namespace {

constexpr size_t kRecordLimit = 1 << 20;

Error no_such(std::string_view name) {
  return Error::of(ErrorKind::not_found, "network %.*s not found", static_cast<int>(name.size()),
                   name.data());
}

std::string dir_of(std::string_view name) {
  return "networks/" + std::string(name);
}

/// The network that is there without being made.
Network* default_network(Arena& arena) {
  auto* network = arena.make<Network>();
  network->name = kDefaultNetwork;
  network->id = "62726964676500000000000000000000000000000000000000000000000000ff";
  network->created = "0001-01-01T00:00:00Z";
  network->driver = "bridge";
  network->interface = "slipway0";
  network->subnets = arena.list<Subnet>(1);
  network->subnets[0].subnet = "172.17.0.0/16";
  network->subnets[0].gateway = "172.17.0.1";
  return network;
}

Str first_address(const Ipv4Subnet& subnet, Arena& arena) {
  const std::string text = format_ipv4(subnet.address + 1);
  return arena.copy(text);
}

uint32_t mask_of(unsigned bits) {
  return bits == 0 ? 0 : ~uint32_t{0} << (32 - bits);
}

}  // namespace

bool Ipv4Subnet::overlaps(const Ipv4Subnet& other) const {
  const uint32_t mask = mask_of(std::min(bits, other.bits));
  return (address & mask) == (other.address & mask);
}

bool Ipv4Subnet::contains(uint32_t ip) const {
  return (ip & mask_of(bits)) == address;
}

Result<uint32_t> parse_ipv4(std::string_view text) {
  in_addr address = {};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1)
    return Error::of(ErrorKind::invalid, "invalid IPv4 address \"%s\"", std::string(text).c_str());
  return ntohl(address.s_addr);
}

std::string format_ipv4(uint32_t ip) {
  char text[INET_ADDRSTRLEN];
  const in_addr address = {htonl(ip)};
  return inet_ntop(AF_INET, &address, text, sizeof text);
}

Result<Ipv4Subnet> parse_subnet(std::string_view text) {
  const auto bad = [&] {
    return Error::of(ErrorKind::invalid, "invalid subnet \"%s\": ADDRESS/BITS of IPv4 is supported here",
                     std::string(text).c_str());
  };
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return bad();
  auto address = parse_ipv4(text.substr(0, slash));
  Ipv4Subnet subnet;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, subnet.bits);
  // Two addresses at least beside those of the network and of broadcasts.
  if (!address.ok() || error != std::errc() || stop != end || subnet.bits > 30 || subnet.bits < 8)
    return bad();
  subnet.address = *address & mask_of(subnet.bits);
  return subnet;
}

Status Networks::choose_subnet(Network& network, Arena& arena) {
  std::vector<Ipv4Subnet> taken;
  for (const Network* other : TRY(list(arena)))
    for (const Subnet& subnet : other->subnets) taken.push_back(TRY(parse_subnet(subnet.subnet)));
  const auto is_free = [&](const Ipv4Subnet& subnet) {
    return std::none_of(taken.begin(), taken.end(),
                        [&](const Ipv4Subnet& other) { return subnet.overlaps(other); });
  };
  if (!network.subnets.empty()) {
    for (Subnet& subnet : network.subnets) {
      const Ipv4Subnet parsed = TRY(parse_subnet(subnet.subnet));
      if (!is_free(parsed))
        return Error::of(ErrorKind::invalid, "Pool overlaps with other one on this address space");
      if (!subnet.ip_range.empty()) {
        const Ipv4Subnet range = TRY(parse_subnet(subnet.ip_range));
        if (range.bits < parsed.bits || !parsed.contains(range.address))
          return Error::of(ErrorKind::invalid, "no matching subnet for range %s", subnet.ip_range.c_str());
      }
      if (subnet.gateway.empty()) subnet.gateway = first_address(parsed, arena);
      if (!parsed.contains(TRY(parse_ipv4(subnet.gateway))))
        return Error::of(ErrorKind::invalid, "no matching subnet for gateway %s", subnet.gateway.c_str());
    }
    return {};
  }
  // docker's pools: 172.18 to 172.31, then the 192.168 ones of 4,096 addresses.
  std::vector<Ipv4Subnet> pools;
  for (uint32_t second = 18; second < 32; ++second) pools.push_back({(172U << 24) | (second << 16), 16});
  for (uint32_t third = 0; third < 256; third += 16)
    pools.push_back({(192U << 24) | (168U << 16) | (third << 8), 20});
  const auto found = std::find_if(pools.begin(), pools.end(), is_free);
  if (found == pools.end())
    return Error::of(ErrorKind::failed, "could not find an available, non-overlapping IPv4 address pool");
  network.subnets = arena.list<Subnet>(1);
  network.subnets[0].subnet = arena.format("%s/%u", format_ipv4(found->address).c_str(), found->bits);
  network.subnets[0].gateway = first_address(*found, arena);
  return {};
}

Status Networks::create(Network& network, Arena& arena) {
  const std::string name(network.name.view());
  if (!is_container_name(name) || name == "host" || name == "none" || name == "default" ||
      name == "container")
    return Error::of(ErrorKind::usage, "invalid network name \"%s\"", name.c_str());
  // One lock for all: two networks made at once must not choose one subnet.
  const Fd lock = TRY(lock_file(store_.root_fd(), "locks/networks", LockMode::exclusive));
  if (find(name, arena).ok())
    return Error::of(ErrorKind::exists, "network with name %s already exists", name.c_str());
  TRY(choose_subnet(network, arena));
  const std::string id = TRY(new_id());
  network.id = arena.copy(id);
  network.created = arena.copy(now_rfc3339());
  network.driver = "bridge";
  if (network.interface.empty()) network.interface = arena.format("br-%.12s", id.c_str());
  json::Writer writer;
  writer.value(kNetworkType, &network);
  TRY(sys::make_directories(store_.root() + "/networks", 0700));
  const std::string staged = "networks/." + name;
  TRY(sys::remove_tree(store_.root_fd(), staged.c_str()));
  if (mkdirat(store_.root_fd(), staged.c_str(), 0700) < 0)
    return Error::sys(errno, "mkdir `%s`", staged.c_str());
  TRY(sys::replace_file_at(store_.root_fd(), (staged + "/record.json").c_str(), writer.text(), 0600, true));
  if (renameat(store_.root_fd(), staged.c_str(), store_.root_fd(), dir_of(name).c_str()) < 0)
    return Error::sys(errno, "make network `%s`", name.c_str());
  return {};
}

Result<Network*> Networks::load(std::string_view name, Arena& arena) {
  if (name == kDefaultNetwork) return default_network(arena);
  if (!is_container_name(name)) return no_such(name);
  auto text = sys::read_file_at(store_.root_fd(), (dir_of(name) + "/record.json").c_str(), kRecordLimit);
  if (!text.ok()) {
    if (text.error().kind() == ErrorKind::not_found) return no_such(name);
    return std::move(text).error();
  }
  return json::read<Network>(*text, kNetworkType, arena)
      .ctx("record of network `%s`", std::string(name).c_str());
}

Result<std::vector<Network*>> Networks::list(Arena& arena) {
  std::vector<Network*> all = {default_network(arena)};
  auto names = list_directory(store_.root_fd(), "networks");
  if (!names.ok() && names.error().kind() == ErrorKind::not_found) return all;
  if (!names.ok()) return std::move(names).error();
  for (const std::string& name : *names) {
    auto network = load(name, arena);
    if (network.ok()) all.push_back(*network);
  }
  std::sort(all.begin(), all.end(),
            [](const Network* a, const Network* b) { return a->name.view() < b->name.view(); });
  return all;
}

Result<Network*> Networks::find(std::string_view word, Arena& arena) {
  auto named = load(word, arena);
  if (named.ok() || !is_hex(word)) return named;
  Network* found = nullptr;
  for (Network* network : TRY(list(arena))) {
    if (!network->id.view().starts_with(word)) continue;
    if (found) return Error::of(ErrorKind::invalid, "network %s is ambiguous", std::string(word).c_str());
    found = network;
  }
  if (!found) return no_such(word);
  return found;
}

Status Networks::remove(std::string_view name) {
  const std::string doomed = "networks/." + std::string(name);
  TRY(sys::remove_tree(store_.root_fd(), doomed.c_str()));
  if (renameat(store_.root_fd(), dir_of(name).c_str(), store_.root_fd(), doomed.c_str()) < 0)
    return errno == ENOENT ? no_such(name) : Error::sys(errno, "remove network `%s`", doomed.c_str() + 10);
  TRY(sys::remove_tree(store_.run_fd(), dir_of(name).c_str()));
  return sys::remove_tree(store_.root_fd(), doomed.c_str());
}

Result<bool> Networks::take(std::string_view network, const std::string& address, std::string_view container,
                            const std::function<bool(std::string_view)>& is_alive) {
  const std::string path = dir_of(network) + "/" + address;
  auto holder = sys::read_file_at(store_.run_fd(), path.c_str(), kIdLength);
  if (holder.ok() && *holder != container && !holder->empty() && is_alive(*holder)) return false;
  TRY(sys::replace_file_at(store_.run_fd(), path.c_str(), container, 0600, false));
  return true;
}

Result<std::string> Networks::lease(const Network& network, std::string_view container,
                                    std::string_view wanted,
                                    const std::function<bool(std::string_view)>& is_alive) {
  const Subnet& first = network.subnets[0];
  const Ipv4Subnet subnet = TRY(parse_subnet(first.subnet));
  const uint32_t gateway = TRY(parse_ipv4(first.gateway));
  TRY(sys::make_directories(store_.run_root() + "/" + dir_of(network.name), 0700));
  const Fd lock = TRY(lock_directory(store_.run_fd(), dir_of(network.name).c_str(), LockMode::exclusive));
  if (!wanted.empty()) {
    const uint32_t ip = TRY(parse_ipv4(wanted));
    if (!subnet.contains(ip))
      return Error::of(ErrorKind::usage, "no configured subnet contains IP address %s",
                       std::string(wanted).c_str());
    if (ip == gateway || !TRY(take(network.name, format_ipv4(ip), container, is_alive)))
      return Error::of(ErrorKind::in_use, "Address already in use");
    return format_ipv4(ip);
  }
  const uint32_t last = subnet.address | ~mask_of(subnet.bits);
  const Ipv4Subnet range = first.ip_range.empty() ? subnet : TRY(parse_subnet(first.ip_range));
  const uint32_t end = range.address | ~mask_of(range.bits);
  for (uint32_t ip = range.address; ip <= end; ++ip) {
    if (ip == gateway || ip == subnet.address || ip == last) continue;
    const std::string address = format_ipv4(ip);
    if (TRY(take(network.name, address, container, is_alive))) return address;
  }
  return Error::of(ErrorKind::failed, "no address is left in network %s", network.name.c_str());
}

Status Networks::release(std::string_view network, std::string_view address) {
  const std::string path = dir_of(network) + "/" + std::string(address);
  if (unlinkat(store_.run_fd(), path.c_str(), 0) < 0 && errno != ENOENT)
    return Error::sys(errno, "release the address %s", std::string(address).c_str());
  return {};
}

}  // namespace slipway::store
