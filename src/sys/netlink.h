// Network devices over rtnetlink(7): found, moved, named, given addresses and raised.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::sys {

struct Link {
  int index = 0;
  uint32_t flags = 0;  // IFF_*
};

/// An address of a device, as the kernel's attributes have it.
struct LinkAddress {
  uint8_t family = 0;  // AF_INET or AF_INET6
  uint8_t prefix = 0;
  uint8_t scope = 0;   // RT_SCOPE_*
  uint32_t flags = 0;  // IFA_F_*
  std::string local;   // 4 or 16 bytes
  std::string peer;    // of a point-to-point device; else equal to local
  std::string broadcast;
};

/// A socket that belongs to the network namespace in which it was opened, wherever the caller goes.
class Netlink {
 public:
  static Result<Netlink> open();

  /// not_found: "no network device `NAME`".
  Result<Link> find_link(const std::string& name);
  Result<std::vector<LinkAddress>> addresses(int index);
  /// Moves the device into a network namespace and gives it a name there. It is down afterwards, and has lost
  /// its addresses.
  Status move_link(int index, int network_namespace, const std::string& name);
  Status add_address(int index, const LinkAddress& address);
  Status raise_link(int index);

 private:
  explicit Netlink(Fd socket) : socket_(static_cast<Fd&&>(socket)) {}
  class Request;
  Status send(Request& request);
  /// The next datagram.
  Result<std::string> receive();
  /// Sends, and waits for the kernel's verdict.
  Status transact(Request& request);

  Fd socket_;
  uint32_t sequence_ = 0;
};

}  // namespace slipway::sys
