#include "src/cli/slipway/ports.h"

#include <arpa/inet.h>

#include <cstdlib>
#include <string>

namespace slipway::cli {

namespace {

struct PortRange {
  int first = 0, last = 0;
};

/// "80" or "8000-8010".
Result<PortRange> parse_range(std::string_view text) {
  const auto bad = [&] {
    return Error::of(ErrorKind::usage, "invalid port: %.*s", static_cast<int>(text.size()), text.data());
  };
  const auto number = [](std::string_view digits) {
    if (digits.empty() || digits.size() > 5 ||
        digits.find_first_not_of("0123456789") != std::string_view::npos)
      return -1;
    return atoi(std::string(digits).c_str());
  };
  const size_t dash = text.find('-');
  PortRange range;
  range.first = number(text.substr(0, dash));
  range.last = dash == std::string_view::npos ? range.first : number(text.substr(dash + 1));
  if (range.first < 0 || range.last < range.first || range.last > 65535) return bad();
  return range;
}

/// Takes "/udp" off the end.
Result<std::string_view> take_protocol(std::string_view& text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::string_view("tcp");
  const std::string_view protocol = text.substr(slash + 1);
  text = text.substr(0, slash);
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
    return Error::of(ErrorKind::usage, "invalid proto: %.*s", static_cast<int>(protocol.size()),
                     protocol.data());
  return protocol;
}

Status publish(const Call& call, std::string_view word, ListBuilder<store::PortBinding>& bindings,
               ListBuilder<Str>& exposed) {
  std::string_view rest = word;
  const std::string_view protocol = TRY(take_protocol(rest));
  const size_t last = rest.rfind(':');
  const std::string_view inside = last == std::string_view::npos ? rest : rest.substr(last + 1);
  std::string_view outside;
  std::string_view address;
  if (last != std::string_view::npos) {
    outside = rest.substr(0, last);
    const size_t colon = outside.rfind(':');
    if (colon != std::string_view::npos) {
      address = outside.substr(0, colon);
      outside = outside.substr(colon + 1);
    }
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  }
  in6_addr parsed;
  const std::string text(address);
  if (!address.empty() && inet_pton(AF_INET, text.c_str(), &parsed) != 1 &&
      inet_pton(AF_INET6, text.c_str(), &parsed) != 1)
    return Error::of(ErrorKind::usage, "Invalid ip address: %s", text.c_str());
  if (inside.empty()) return Error::of(ErrorKind::usage, "no port specified: %s<empty>", word.data());
  const PortRange in = TRY(parse_range(inside).ctx("invalid argument \"%s\" for --publish", word.data()));
  PortRange out;
  if (!outside.empty())
    out = TRY(parse_range(outside).ctx("invalid argument \"%s\" for --publish", word.data()));
  const int count = in.last - in.first;
  if (!outside.empty() && out.last - out.first != count && count != 0)
    return Error::of(ErrorKind::usage, "invalid ranges specified for container and host Ports: %.*s and %.*s",
                     static_cast<int>(inside.size()), inside.data(), static_cast<int>(outside.size()),
                     outside.data());
  for (int i = 0; i <= count; ++i) {
    store::PortBinding binding;
    binding.port =
        call.arena.format("%d/%.*s", in.first + i, static_cast<int>(protocol.size()), protocol.data());
    binding.host_ip = call.arena.copy(address);
    if (!outside.empty())
      binding.host_port = count == 0 ? call.arena.copy(outside) : call.arena.format("%d", out.first + i);
    bindings.add(binding);
    exposed.add(binding.port);
  }
  return {};
}

}  // namespace

Status read_ports(const Call& call, store::Record& record) {
  ListBuilder<store::PortBinding> bindings(call.arena);
  ListBuilder<Str> exposed(call.arena);
  for (const std::string_view word : call.args.values("publish", call.arena))
    TRY(publish(call, word, bindings, exposed));
  for (const std::string_view word : call.args.values("expose", call.arena)) {
    std::string_view rest = word;
    const std::string_view protocol = TRY(take_protocol(rest));
    const PortRange range = TRY(parse_range(rest).ctx("invalid argument \"%s\" for --expose", word.data()));
    for (int port = range.first; port <= range.last; ++port)
      exposed.add(call.arena.format("%d/%.*s", port, static_cast<int>(protocol.size()), protocol.data()));
  }
  record.host.port_bindings = bindings.list();
  record.host.publish_all_ports = call.args.flag("publish-all");
  record.config.exposed_ports = exposed.list();
  return {};
}

}  // namespace slipway::cli
