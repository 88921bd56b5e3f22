#include "src/manager/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "src/manager/name_server.h"
#include "src/manager/network_backend.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/store/lock.h"
#include "src/store/removal.h"
#include "src/sys/file.h"
#include "src/sys/ns.h"
#include "src/sys/remove_tree.h"

namespace slipway::manager {

namespace {

constexpr size_t kSessionLimit = 1 << 20;

std::string session_dir(std::string_view id) {
  return "attached/" + std::string(id);
}

std::string session_file(std::string_view id) {
  return session_dir(id) + "/session.json";
}

/// A network namespace that nobody is in yet.
Result<Fd> new_namespace() {
  const Fd own = TRY(sys::open_at(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY));
  if (unshare(CLONE_NEWNET) < 0) return Error::sys(errno, "make a network namespace");
  Result<Fd> made = sys::open_at(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY);
  // Without a way back this process would go on in the container's network.
  if (setns(own.get(), CLONE_NEWNET) < 0) abort();
  return made;
}

/// As another process names it: the backend's programs are.
std::string path_of(int fd) {
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd);
}

Value read_session(const store::Store& store, std::string_view id) {
  auto text = sys::read_file_at(store.run_fd(), session_file(id).c_str(), kSessionLimit);
  if (!text.ok()) return {};
  auto value = Value::parse(*text);
  return value.ok() ? std::move(*value) : Value();
}

Status write_session(const store::Store& store, std::string_view id, const Value& session) {
  return sys::replace_file_at(store.run_fd(), session_file(id).c_str(), session.json(), 0600, false);
}

/// The one that has made the session; for a new one, that of the configuration.
Result<std::unique_ptr<NetworkBackend>> backend_of(const store::Store& store, const Value& session) {
  const Value* name = session.find("backend");
  return NetworkBackend::find(store, name ? name->text() : store.options().network_backend);
}

/// What every container is called on its networks, besides its name.
std::string name_of(std::string_view id) {
  return std::string(store::short_id(id));
}

/// The document for the backend, without networks yet.
Value new_document(std::string_view id, std::string_view name) {
  Value document = Value::map();
  document.set("container_id", id).set("container_name", name);
  document.set("networks", Value::map()).set("network_info", Value::map());
  return document.set("port_mappings", Value::array());
}

/// The document with one of its networks only: set_up() and tear_down() do all that it names.
Value only(const Value& document, std::string_view network, bool ports) {
  Value part = new_document(document["container_id"].text(), document["container_name"].text());
  part.set("networks", Value::map().set(network, document["networks"][network]));
  part.set("network_info", Value::map().set(network, document["network_info"][network]));
  if (ports) part.set("port_mappings", document["port_mappings"]);
  return part;
}

/// Leases an address and adds the network to the document.
Status add_network(store::Store& store, const NetworkBackend& backend, std::string_view id,
                   const store::Network& network, const store::Attachment& attachment, Value& document) {
  const auto is_alive = [&](std::string_view other) {
    Arena arena;
    auto lock =
        store::try_lock_directory(store.run_fd(), session_dir(other).c_str(), store::LockMode::exclusive);
    if (lock.ok() && !lock->has_value()) return true;
    auto observed = observe(store, other, arena);
    return observed.ok() && observed->is_running();
  };
  const std::string address = TRY(store::Networks(store).lease(network, id, attachment.address, is_alive));
  Value aliases = Value::strings(attachment.aliases);
  aliases.add(name_of(id));
  Value options = Value::map();
  options.set("static_ips", Value::array().add(address));
  if (!attachment.mac_address.empty()) options.set("static_mac", attachment.mac_address);
  options.set("interface_name", "eth" + std::to_string(document["networks"].members().size()));
  options.set("aliases", std::move(aliases));
  Value networks = document["networks"];
  document.set("networks", networks.set(network.name, std::move(options)));
  Value info = document["network_info"];
  document.set("network_info", info.set(network.name, backend.describe(network)));
  return {};
}

/// The backend's answer for one network, as network_status() has it.
Value status_of(const Value& document, const Value& answer, std::string_view network) {
  const Value& info = document["network_info"][network];
  Value out = Value::map();
  out.set("id", info["id"]);
  for (const auto& interface : answer[network]["interfaces"].members()) {
    const Value& subnets = interface.value["subnets"];
    if (!subnets.is_array() || subnets.items().empty()) continue;
    const std::string& net = subnets.items()[0]["ipnet"].text();
    const size_t slash = net.find('/');
    out.set("address", net.substr(0, slash)).set("prefix", atoi(net.c_str() + slash + 1));
    out.set("gateway", subnets.items()[0]["gateway"]).set("mac", interface.value["mac_address"]);
    out.set("interface", interface.key);
  }
  return out;
}

/// Undoes all attachments of a session. When the namespace died with the container, `ns` is a fresh one, and there is nothing in it to take
/// down; the backends then stop before they have removed the rules of the firewall: so they are made once more.
void undo(store::Store& store, std::string_view id, int ns, bool fresh) {
  const Value session = read_session(store, id);
  const Value& document = session["document"];
  auto backend = backend_of(store, session);
  if (backend.ok() && document.is_object() && !document["networks"].members().empty()) {
    if (fresh) (void)(*backend)->set_up(path_of(ns), document);
    (void)(*backend)->tear_down(path_of(ns), document);
  }
  if (document.is_object())
    for (const auto& network : document["networks"].members())
      for (const Value& address : network.value["static_ips"].items())
        (void)store::Networks(store).release(network.key, address.text());
  (void)sys::remove_tree(store.run_fd(), session_dir(id).c_str());
}

/// A socket that holds the port, so that no other program of this host takes it while the container has it. For 0: any port.
Result<Fd> hold_port(const store::PortBinding& binding, uint16_t& port, bool udp) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const char* ip = binding.host_ip.empty() ? "0.0.0.0" : binding.host_ip.c_str();
  if (inet_pton(AF_INET, ip, &address.sin_addr) != 1)
    return Error::of(ErrorKind::usage, "invalid IP address: %s (only IPv4 is supported here)", ip);
  Fd held(socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
  if (!held) return Error::sys(errno, "socket");
  socklen_t size = sizeof address;
  if (bind(held.get(), reinterpret_cast<sockaddr*>(&address), size) < 0) {
    if (errno == EADDRINUSE)
      return Error::of(ErrorKind::in_use, "Bind for %s:%u failed: port is already allocated", ip, port);
    return Error::sys(errno, "Bind for %s:%u failed", ip, port);
  }
  if (getsockname(held.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0)
    port = ntohs(address.sin_port);
  return held;
}

/// The port of a binding, or the first free one of its range.
Result<Fd> hold_binding(const store::PortBinding& binding, uint16_t& port, bool udp) {
  const size_t dash = binding.host_port.view().find('-');
  if (dash == std::string_view::npos) return hold_port(binding, port, udp);
  for (const auto last = static_cast<uint16_t>(atoi(binding.host_port.c_str() + dash + 1));; ++port) {
    Result<Fd> held = hold_port(binding, port, udp);
    if (held.ok() || held.error().kind() != ErrorKind::in_use) return held;
    if (port == last)
      return Error::of(ErrorKind::in_use, "Bind for %s:%s failed: all ports are allocated",
                       binding.host_ip.empty() ? "0.0.0.0" : binding.host_ip.c_str(),
                       binding.host_port.c_str());
  }
}

/// The bindings of the record, and one for each exposed port with --publish-all.
std::vector<store::PortBinding> bindings_of(const store::Record& record) {
  std::vector<store::PortBinding> all(record.host.port_bindings.begin(), record.host.port_bindings.end());
  if (!record.host.publish_all_ports) return all;
  for (const Str port : record.config.exposed_ports) {
    bool bound = false;
    for (const store::PortBinding& binding : record.host.port_bindings) bound |= binding.port == port.view();
    if (!bound) all.push_back({port, Str(), Str()});
  }
  return all;
}

std::vector<store::Attachment> attachments_of(const store::Record& record) {
  std::vector<store::Attachment> all(record.networks.begin(), record.networks.end());
  if (!all.empty()) return all;
  store::Attachment first;
  first.network =
      record.host.network_mode == "default" ? Str(store::kDefaultNetwork) : record.host.network_mode;
  all.push_back(first);
  return all;
}

}  // namespace

bool uses_bridge(const store::HostConfig& host) {
  const std::string_view mode = host.network_mode;
  if (mode == "none" || mode == "host" || mode.starts_with("container:") || mode.starts_with("ns:"))
    return false;
  return mode != "default" || !host.port_bindings.empty() || host.publish_all_ports;
}

Status NetworkSession::reserve_ports(const store::Record& record, Value& ports) {
  for (const store::PortBinding& binding : bindings_of(record)) {
    const std::string_view text = binding.port;
    const size_t slash = text.find('/');
    const std::string_view protocol = slash == std::string_view::npos ? "tcp" : text.substr(slash + 1);
    auto port = static_cast<uint16_t>(atoi(binding.host_port.c_str()));
    if (protocol != "sctp") ports_.push_back(TRY(hold_binding(binding, port, protocol == "udp")));
    ports.add(Value::map()
                  .set("container_port", atoi(binding.port.c_str()))
                  .set("host_ip", binding.host_ip == "0.0.0.0" ? Str() : binding.host_ip)
                  .set("host_port", static_cast<unsigned>(port))
                  .set("protocol", protocol)
                  .set("range", 1));
  }
  return {};
}

Result<NetworkSession> NetworkSession::open(store::Store& store, const store::Record& record) {
  NetworkSession session;
  if (!uses_bridge(record.host)) return session;
  const auto backend = TRY(backend_of(store, Value()));
  collect_sessions(store);
  session.store_ = &store;
  session.id_ = record.id.view();
  TRY(sys::make_directories(store.run_root() + "/" + session_dir(record.id), 0700));
  session.lock_ =
      TRY(store::lock_directory(store.run_fd(), session_dir(record.id).c_str(), store::LockMode::exclusive));
  session.ns_ = TRY(new_namespace());

  Arena arena;
  store::Networks networks(store);
  Value document = new_document(record.id, record.name);
  for (const store::Attachment& attachment : attachments_of(record)) {
    const store::Network* network = TRY(networks.find(attachment.network, arena));
    TRY(add_network(store, *backend, record.id, *network, attachment, document));
  }
  Value ports = Value::array();
  TRY(session.reserve_ports(record, ports));
  document.set("port_mappings", std::move(ports));
  // Before the backend begins: whatever it has done when we are killed is found by the next command.
  Value kept = Value::map().set("backend", backend->name()).set("document", document);
  TRY(write_session(store, record.id, kept));
  const Value answer = TRY(backend->set_up(path_of(session.ns_.get()), document));

  Value status = Value::map();
  for (const auto& network : document["networks"].members()) {
    Value one = status_of(document, answer, network.key);
    if (session.address_.empty() && one["address"].is_string()) session.address_ = one["address"].text();
    for (const Value& server : answer[network.key]["dns_server_ips"].items()) {
      await_name(session.ns_.get(), server.text(), name_of(record.id));
      session.name_servers_.push_back(server.text());
    }
    status.set(network.key, std::move(one));
  }
  kept.set("status", Value::map().set("networks", std::move(status)).set("ports", document["port_mappings"]));
  TRY(write_session(store, record.id, kept));
  return session;
}

NetworkSession::~NetworkSession() {
  if (store_ && ns_) undo(*store_, id_, ns_.get(), false);
  if (store_ && lock_ && !ns_) (void)sys::remove_tree(store_->run_fd(), session_dir(id_).c_str());
}

std::string NetworkSession::path() const {
  return ns_ ? "/proc/self/fd/" + std::to_string(ns_.get()) : std::string();
}

void NetworkSession::swap(NetworkSession& other) {
  std::swap(store_, other.store_);
  std::swap(id_, other.id_);
  std::swap(ns_, other.ns_);
  std::swap(lock_, other.lock_);
  std::swap(ports_, other.ports_);
  std::swap(address_, other.address_);
  std::swap(name_servers_, other.name_servers_);
}

Value network_status(const store::Store& store, std::string_view id) {
  return read_session(store, id)["status"];
}

std::vector<store::PortBinding> published_ports(const store::Store& store, std::string_view id,
                                                Arena& arena) {
  const Value status = network_status(store, id);
  std::vector<store::PortBinding> all;
  if (!status.is_object()) return all;
  for (const Value& port : status["ports"].items()) {
    store::PortBinding one;
    one.port = arena.format("%d/%s", static_cast<int>(port["container_port"].integer()),
                            port["protocol"].text().c_str());
    one.host_ip = arena.copy(port["host_ip"].text().empty() ? "0.0.0.0" : port["host_ip"].text());
    one.host_port = arena.format("%d", static_cast<int>(port["host_port"].integer()));
    all.push_back(one);
  }
  return all;
}

Status attach_network(store::Store& store, const store::Record& record, int pid,
                      const store::Network& network, const store::Attachment& attachment) {
  TRY(sys::make_directories(store.run_root() + "/" + session_dir(record.id), 0700));
  Value session = read_session(store, record.id);
  const auto backend = TRY(backend_of(store, session));
  if (!session.is_object()) session = Value::map().set("backend", backend->name());
  Value document =
      session["document"].is_object() ? session["document"] : new_document(record.id, record.name);
  TRY(add_network(store, *backend, record.id, network, attachment, document));
  TRY(write_session(store, record.id, session.set("document", document)));
  const std::string ns = "/proc/" + std::to_string(pid) + "/ns/net";
  const Value answer = TRY(backend->set_up(ns, only(document, network.name, false)));
  const Fd inside = TRY(sys::open_at(AT_FDCWD, ns.c_str(), O_RDONLY));
  for (const Value& server : answer[network.name]["dns_server_ips"].items())
    await_name(inside.get(), server.text(), name_of(record.id));
  Value status =
      session["status"].is_object() ? session["status"] : Value::map().set("ports", Value::array());
  Value networks = status["networks"].is_object() ? status["networks"] : Value::map();
  networks.set(network.name, status_of(document, answer, network.name));
  return write_session(store, record.id, session.set("status", status.set("networks", std::move(networks))));
}

Status detach_network(store::Store& store, std::string_view id, int pid, std::string_view network) {
  Value session = read_session(store, id);
  const auto backend = TRY(backend_of(store, session));
  const Value document = session["document"];
  if (!document.is_object() || !document["networks"].find(network)) return {};
  const std::string ns = "/proc/" + std::to_string(pid) + "/ns/net";
  TRY(backend->tear_down(ns, only(document, network, true)));
  for (const Value& address : document["networks"][network]["static_ips"].items())
    TRY(store::Networks(store).release(network, address.text()));
  const auto without = [&](const Value& map) {
    Value rest = Value::map();
    for (const auto& member : map.members())
      if (member.key != network) rest.set(member.key, member.value);
    return rest;
  };
  Value kept = document;
  kept.set("networks", without(document["networks"])).set("network_info", without(document["network_info"]));
  Value status = session["status"];
  status.set("networks", without(status["networks"]));
  return write_session(store, id, session.set("document", std::move(kept)).set("status", std::move(status)));
}

void collect_session(store::Store& store, std::string_view id) {
  auto lock = store::try_lock_directory(store.run_fd(), session_dir(id).c_str(), store::LockMode::exclusive);
  if (!lock.ok() || !lock->has_value()) return;
  Arena arena;
  auto observed = observe(store, id, arena);
  if (observed.ok() && (observed->is_running() || observed->monitored)) return;
  auto ns = new_namespace();
  if (ns.ok()) undo(store, id, ns->get(), true);
}

void collect_sessions(store::Store& store) {
  auto ids = store::list_directory(store.run_fd(), "attached");
  if (!ids.ok()) return;
  for (const std::string& id : *ids) collect_session(store, id);
}

}  // namespace slipway::manager
