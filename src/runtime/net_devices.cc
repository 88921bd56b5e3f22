#include "src/runtime/net_devices.h"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <vector>

#include "src/base/fd.h"
#include "src/sys/netlink.h"

namespace slipway::runtime {

namespace {

/// A socket in a network namespace. The caller is back in its own when this returns.
Result<sys::Netlink> open_inside(int network_namespace) {
  const Fd own(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!own) return Error::sys(errno, "open `/proc/self/ns/net`");
  if (setns(network_namespace, CLONE_NEWNET) < 0) return Error::sys(errno, "enter the network namespace");
  Result<sys::Netlink> inside = sys::Netlink::open();
  if (setns(own.get(), CLONE_NEWNET) < 0) return Error::sys(errno, "leave the network namespace");
  return inside;
}

bool survives(const sys::LinkAddress& address) {
  return address.scope == RT_SCOPE_UNIVERSE && address.flags & IFA_F_PERMANENT;
}

Status move_device(sys::Netlink& outside, sys::Netlink& inside, int network_namespace,
                   const std::string& host_name, const std::string& name) {
  const sys::Link link = TRY(outside.find_link(host_name));
  if (link.flags & IFF_LOOPBACK)
    return Error::of(ErrorKind::invalid, "`%s` is the loopback device", host_name.c_str());
  const std::vector<sys::LinkAddress> addresses = TRY(outside.addresses(link.index));
  TRY(outside.move_link(link.index, network_namespace, name).ctx("move `%s`", host_name.c_str()));
  // The index may be taken there already.
  const sys::Link moved = TRY(inside.find_link(name));
  for (const sys::LinkAddress& address : addresses)
    if (survives(address))
      TRY(inside.add_address(moved.index, address).ctx("give `%s` its address", name.c_str()));
  return inside.raise_link(moved.index).ctx("raise `%s`", name.c_str());
}

}  // namespace

Status move_net_devices(const Map<oci::NetDevice>& devices, int network_namespace) {
  if (devices.empty()) return {};
  sys::Netlink outside = TRY(sys::Netlink::open());
  sys::Netlink inside = TRY(open_inside(network_namespace).ctx("linux.netDevices"));
  for (const Entry<oci::NetDevice>& device : devices) {
    const Str name = device.value.name.empty() ? device.key : device.value.name;
    TRY(move_device(outside, inside, network_namespace, device.key.c_str(), name.c_str())
            .ctx("linux.netDevices"));
  }
  return {};
}

}  // namespace slipway::runtime
