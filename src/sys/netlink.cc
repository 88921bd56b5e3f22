#include "src/sys/netlink.h"

#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace slipway::sys {

/// A message in the making: header, fixed part, attributes.
class Netlink::Request {
 public:
  template <class T>
  Request(uint16_t type, uint16_t flags, const T& fixed)
      : text_(NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(T)), '\0') {
    nlmsghdr header = {};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
    memcpy(text_.data(), &header, sizeof header);
    memcpy(text_.data() + NLMSG_HDRLEN, &fixed, sizeof fixed);
  }
  void attribute(uint16_t type, const void* value, size_t size) {
    rtattr head = {static_cast<unsigned short>(RTA_LENGTH(size)), type};
    const size_t at = text_.size();
    text_.resize(at + RTA_SPACE(size));
    memcpy(text_.data() + at, &head, sizeof head);
    memcpy(text_.data() + at + RTA_LENGTH(0), value, size);
  }
  void attribute(uint16_t type, const std::string& value) { attribute(type, value.data(), value.size()); }
  void attribute(uint16_t type, uint32_t value) { attribute(type, &value, sizeof value); }

  const std::string& finish(uint32_t sequence) {
    const auto length = static_cast<uint32_t>(text_.size());
    memcpy(text_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
    memcpy(text_.data() + offsetof(nlmsghdr, nlmsg_seq), &sequence, sizeof sequence);
    return text_;
  }

 private:
  std::string text_;
};

namespace {

/// Walks the messages of a datagram; `f` gets the header and the payload, and ends the walk by false.
template <class F>
void each_message(std::string_view text, F f) {
  while (text.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    memcpy(&header, text.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > text.size()) return;
    if (!f(header, text.substr(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN))) return;
    text.remove_prefix(std::min<size_t>(NLMSG_ALIGN(header.nlmsg_len), text.size()));
  }
}

template <class F>
void each_attribute(std::string_view text, F f) {
  while (text.size() >= sizeof(rtattr)) {
    rtattr head;
    memcpy(&head, text.data(), sizeof head);
    if (head.rta_len < sizeof head || head.rta_len > text.size()) return;
    f(head.rta_type, text.substr(RTA_LENGTH(0), head.rta_len - RTA_LENGTH(0)));
    text.remove_prefix(std::min<size_t>(RTA_ALIGN(head.rta_len), text.size()));
  }
}

/// 0 or the errno of an acknowledgement.
int verdict(std::string_view payload) {
  nlmsgerr error = {};
  memcpy(&error, payload.data(), std::min(sizeof error.error, payload.size()));
  return -error.error;
}

LinkAddress read_address(const ifaddrmsg& fixed, std::string_view attributes) {
  LinkAddress out;
  out.family = fixed.ifa_family;
  out.prefix = fixed.ifa_prefixlen;
  out.scope = fixed.ifa_scope;
  out.flags = fixed.ifa_flags;
  each_attribute(attributes, [&](uint16_t type, std::string_view value) {
    if (type == IFA_LOCAL) out.local = value;
    if (type == IFA_ADDRESS) out.peer = value;
    if (type == IFA_BROADCAST) out.broadcast = value;
    if (type == IFA_FLAGS && value.size() == 4) memcpy(&out.flags, value.data(), 4);
  });
  if (out.local.empty()) out.local = out.peer;  // IPv6 has no IFA_LOCAL on most devices
  if (out.peer.empty()) out.peer = out.local;
  return out;
}

}  // namespace

Result<Netlink> Netlink::open() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return Error::sys(errno, "rtnetlink");
  return Netlink(std::move(socket));
}

Status Netlink::send(Request& request) {
  const std::string& text = request.finish(++sequence_);
  if (::send(socket_.get(), text.data(), text.size(), 0) < 0) return Error::sys(errno, "rtnetlink: send");
  return {};
}

Result<std::string> Netlink::receive() {
  std::string text(32768, '\0');
  ssize_t size;
  do {
    size = recv(socket_.get(), text.data(), text.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return Error::sys(errno, "rtnetlink: receive");
  text.resize(static_cast<size_t>(size));
  return text;
}

Status Netlink::transact(Request& request) {
  TRY(send(request));
  for (;;) {
    const std::string text = TRY(receive());
    int err = -1;
    each_message(text, [&](const nlmsghdr& header, std::string_view payload) {
      if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_seq != sequence_) return true;
      err = verdict(payload);
      return false;
    });
    if (err == 0) return {};
    if (err > 0) return Error::sys(err, "rtnetlink");
  }
}

Result<Link> Netlink::find_link(const std::string& name) {
  Request request(RTM_GETLINK, 0, ifinfomsg{});
  request.attribute(IFLA_IFNAME, name.c_str(), name.size() + 1);
  TRY(send(request));
  const std::string text = TRY(receive());
  Link link;
  int err = 0;
  each_message(text, [&](const nlmsghdr& header, std::string_view payload) {
    if (header.nlmsg_type == NLMSG_ERROR) err = verdict(payload);
    if (header.nlmsg_type != RTM_NEWLINK || payload.size() < sizeof(ifinfomsg)) return true;
    ifinfomsg fixed;
    memcpy(&fixed, payload.data(), sizeof fixed);
    link.index = fixed.ifi_index;
    link.flags = fixed.ifi_flags;
    return false;
  });
  if (err == ENODEV || (err == 0 && link.index == 0))
    return Error::of(ErrorKind::not_found, "no network device `%s`", name.c_str());
  if (err) return Error::sys(err, "network device `%s`", name.c_str());
  return link;
}

Result<std::vector<LinkAddress>> Netlink::addresses(int index) {
  Request request(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{});
  TRY(send(request));
  std::vector<LinkAddress> found;
  for (bool done = false; !done;) {
    const std::string text = TRY(receive());
    int err = 0;
    each_message(text, [&](const nlmsghdr& header, std::string_view payload) {
      done = header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR;
      if (header.nlmsg_type == NLMSG_ERROR) err = verdict(payload);
      ifaddrmsg fixed;
      if (header.nlmsg_type != RTM_NEWADDR || payload.size() < sizeof fixed) return !done;
      memcpy(&fixed, payload.data(), sizeof fixed);
      if (fixed.ifa_index == static_cast<uint32_t>(index))
        found.push_back(read_address(fixed, payload.substr(NLMSG_ALIGN(sizeof fixed))));
      return true;
    });
    if (err) return Error::sys(err, "rtnetlink: addresses");
  }
  return found;
}

Status Netlink::move_link(int index, int network_namespace, const std::string& name) {
  ifinfomsg fixed = {};
  fixed.ifi_index = index;
  Request request(RTM_NEWLINK, NLM_F_ACK, fixed);
  request.attribute(IFLA_NET_NS_FD, static_cast<uint32_t>(network_namespace));
  request.attribute(IFLA_IFNAME, name.c_str(), name.size() + 1);
  return transact(request);
}

Status Netlink::add_address(int index, const LinkAddress& address) {
  ifaddrmsg fixed = {};
  fixed.ifa_family = address.family;
  fixed.ifa_prefixlen = address.prefix;
  fixed.ifa_scope = address.scope;
  fixed.ifa_index = static_cast<uint32_t>(index);
  Request request(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, fixed);
  request.attribute(IFA_LOCAL, address.local);
  request.attribute(IFA_ADDRESS, address.peer);
  if (!address.broadcast.empty()) request.attribute(IFA_BROADCAST, address.broadcast);
  // IPv6: the address was checked for duplicates where it comes from.
  request.attribute(IFA_FLAGS, address.family == AF_INET6 ? address.flags | IFA_F_NODAD : address.flags);
  return transact(request);
}

Status Netlink::raise_link(int index) {
  ifinfomsg fixed = {};
  fixed.ifi_index = index;
  fixed.ifi_flags = IFF_UP;
  fixed.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, NLM_F_ACK, fixed);
  return transact(request);
}

}  // namespace slipway::sys
