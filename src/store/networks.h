// Networks: bridges that containers are attached to.
//
//   <root>/networks/<name>/record.json      what the user asked for
//   <run>/networks/<name>/<address>         a lease: the id of the container that has the address
//
// The directory's presence is the network. One network, "bridge", is there without a record. Leases are in the run directory:
// no address outlives a reboot. A lease of a container that does not run is free.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::store {

inline constexpr char kDefaultNetwork[] = "bridge";
/// The ids of "host" and "none", which are listed and told of, and are no networks otherwise.
inline constexpr char kHostNetworkId[] = "686f7374000000000000000000000000000000000000000000000000000000ff";
inline constexpr char kNoneNetworkId[] = "6e6f6e65000000000000000000000000000000000000000000000000000000ff";

/// The option of a network whose value is the MTU of its interfaces.
inline constexpr char kMtuOption[] = "com.docker.network.driver.mtu";

struct Subnet {
  Str subnet;    // "172.18.0.0/16"
  Str gateway;   // "172.18.0.1"
  Str ip_range;  // where containers get their addresses; "" for all of the subnet
};

struct Network {
  Str name;
  Str id;
  Str created;
  Str driver;     // bridge
  Str interface;  // the bridge's own, on the host
  List<Subnet> subnets;
  bool internal = false;  // without a way out
  bool attachable = false;
  Map<Str> labels;
  Map<Str> options;
};

extern const json::Type kNetworkType;

/// An IPv4 subnet as numbers, for arithmetic.
struct Ipv4Subnet {
  uint32_t address = 0;  // host byte order, host bits zero
  unsigned bits = 0;

  bool overlaps(const Ipv4Subnet& other) const;
  bool contains(uint32_t ip) const;
};
Result<Ipv4Subnet> parse_subnet(std::string_view text);
Result<uint32_t> parse_ipv4(std::string_view text);
std::string format_ipv4(uint32_t ip);

class Networks {
 public:
  explicit Networks(Store& store) : store_(store) {}

  /// Fills in what is not given: id, bridge's name, a free subnet, its first address as the gateway. Errors: exists
  /// ("network with name X already exists"), invalid (a subnet that overlaps another network's).
  Status create(Network& network, Arena& arena);
  /// By name, id or unambiguous prefix of an id. Errors: not_found ("network X not found").
  Result<Network*> find(std::string_view word, Arena& arena);
  /// Sorted by name, with the default network.
  Result<std::vector<Network*>> list(Arena& arena);
  Status remove(std::string_view name);

  /// Takes an address for a container: `wanted`, or the next free one. `is_alive` says whether the holder of an old lease still runs. Errors:
  /// in_use ("Address already in use"), failed (no address left).
  Result<std::string> lease(const Network& network, std::string_view container, std::string_view wanted,
                            const std::function<bool(std::string_view)>& is_alive);
  Status release(std::string_view network, std::string_view address);

 private:
  Result<Network*> load(std::string_view name, Arena& arena);
  Status choose_subnet(Network& network, Arena& arena);
  Result<bool> take(std::string_view network, const std::string& address, std::string_view container,
                    const std::function<bool(std::string_view)>& is_alive);
  Store& store_;
};

}  // namespace slipway::store
