#include "src/manager/container_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/store/networks.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

constexpr size_t kLimit = 1 << 20;
constexpr char kLocalHosts[] =
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\n"
    "ff00::0\tip6-mcastprefix\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n";

/// In place: a bind of the file in a running container goes on showing it.
Status write_file(int dir, const char* name, std::string_view text) {
  const Fd file = TRY(sys::open_at(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644));
  return sys::write_all(file.get(), text).ctx("%s", name);
}

std::string host_file(const char* path) {
  auto text = sys::read_file_at(AT_FDCWD, path, kLimit);
  return text.ok() ? std::move(text).value() : std::string();
}

/// `address`: the container's on its network; `gateway`: the host's there.
std::string hosts(const store::Record& record, std::string_view address, std::string_view gateway) {
  const store::HostConfig& host = record.host;
  // Who has asked for no network still looks its own name up, and has only its loopback.
  if (address.empty() && host.network_mode == "default") address = "127.0.0.1";
  std::string text = host.network_mode == "host" ? host_file("/etc/hosts") : kLocalHosts;
  for (const Str entry : host.extra_hosts) {
    const size_t split = entry.view().find_first_of(":=");
    std::string_view to = entry.view().substr(split + 1);
    if (to.starts_with('[') && to.ends_with(']')) to = to.substr(1, to.size() - 2);
    if (to == "host-gateway") to = gateway;
    text.append(to).append("\t").append(entry.view().substr(0, split)).append("\n");
  }
  if (!address.empty() && !record.config.hostname.empty()) {
    text.append(address).append("\t").append(record.config.hostname.view());
    if (!record.config.domainname.empty())
      text.append(".")
          .append(record.config.domainname.view())
          .append(" ")
          .append(record.config.hostname.view());
    text.append("\n");
  }
  return text;
}

bool is_loopback_server(std::string_view line) {
  const size_t address = line.find_first_not_of(" \t", 10);
  return address != std::string_view::npos &&
         (line.substr(address).starts_with("127.") || line.substr(address).starts_with("::1"));
}

/// The host's, with what the options replace; name servers on the host's loopback are not reachable from a
/// network namespace of the container's own.
std::string resolv_conf(const store::HostConfig& host, const std::vector<std::string>& name_servers) {
  const bool own_network = host.network_mode != "host";
  std::string text = host_file("/etc/resolv.conf");
  if (own_network && text.find("127.0.0.53") != std::string::npos) {
    const std::string upstream = host_file("/run/systemd/resolve/resolv.conf");
    if (!upstream.empty()) text = upstream;
  }
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    if (line.starts_with("nameserver") &&
        (!host.dns.empty() || !name_servers.empty() || (own_network && is_loopback_server(line))))
      continue;
    if ((line.starts_with("search") || line.starts_with("domain")) && !host.dns_search.empty()) continue;
    if (line.starts_with("options") && !host.dns_options.empty()) continue;
    out.append(line).append("\n");
  }
  if (!host.dns_search.empty() && !(host.dns_search.size() == 1 && host.dns_search[0] == ".")) {
    out += "search";
    for (const Str domain : host.dns_search) out.append(" ").append(domain.view());
    out += "\n";
  }
  for (const std::string& server : name_servers) out.append("nameserver ").append(server).append("\n");
  for (const Str server : host.dns) out.append("nameserver ").append(server.view()).append("\n");
  if (!host.dns_options.empty()) {
    out += "options";
    for (const Str option : host.dns_options) out.append(" ").append(option.view());
    out += "\n";
  }
  return out;
}

/// Where the container reaches the host.
Result<std::string> host_gateway(store::Store& store, const store::Record& record) {
  if (record.networks.empty()) return std::string("127.0.0.1");
  Arena arena;
  const store::Network* network = TRY(store::Networks(store).find(record.networks[0].network, arena));
  return std::string(network->subnets[0].gateway.view());
}

}  // namespace

Status write_container_files(store::Store& store, int dir, const store::Record& record,
                             const NetworkSession& network) {
  const std::string_view mode = record.host.network_mode;
  if (mode.starts_with("container:")) {
    // Who shares a network shares its names.
    const std::string other = store::Containers(store).path(mode.substr(10));
    for (const char* name : {"hosts", "hostname", "resolv.conf"})
      TRY(write_file(dir, name, host_file((other + "/" + name).c_str())));
    return {};
  }
  std::string hostname(record.config.hostname.view());
  TRY(write_file(dir, "hostname", hostname += '\n'));
  const std::string gateway = TRY(host_gateway(store, record));
  TRY(write_file(dir, "hosts", hosts(record, network.address(), gateway)));
  return write_file(dir, "resolv.conf", resolv_conf(record.host, network.name_servers()));
}

}  // namespace slipway::manager
