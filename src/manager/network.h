// Networks of containers. host, none, container:ID and ns:PATH need nothing but a namespace. A bridge network is made by a backend
// (network_backend.h): the container's network namespace is made first, the backend fills it, and the container joins it.
//
// Without a word from the user a container is alone in its namespace: nothing is run for it, and it starts as fast as the runtime can.
// --publish without --network means the default bridge network.
//
//   <run>/attached/<id>/session.json   what the backend was asked for and what came of it; the directory is locked by whoever keeps the
//                                      container: a session whose lock is free and whose container does not run is undone by the
//                                      next command that makes one
#pragma once

#include <string>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/base/value.h"
#include "src/store/networks.h"
#include "src/store/record.h"
#include "src/store/store.h"

namespace slipway::manager {

/// The networks that a container is attached to while it runs.
class NetworkSession {
 public:
  NetworkSession() = default;
  NetworkSession(NetworkSession&& other) noexcept { swap(other); }
  NetworkSession& operator=(NetworkSession&& other) noexcept {
    swap(other);
    return *this;
  }
  NetworkSession(const NetworkSession&) = delete;
  NetworkSession& operator=(const NetworkSession&) = delete;
  /// Detaches from all networks, also from those of attach_network().
  ~NetworkSession();

  /// Makes the namespace and attaches it to the networks of the record; nothing when the record names none. Errors: unsupported (no
  /// backend is installed), not_found (the network), in_use ("port is already allocated").
  static Result<NetworkSession> open(store::Store& store, const store::Record& record);

  bool is_open() const { return bool(ns_); }
  /// A path to the namespace that is good in this process and its children; "" when not open.
  std::string path() const;
  /// The container's first address, "" when it has none; and the name servers that know the names on its networks.
  const std::string& address() const { return address_; }
  const std::vector<std::string>& name_servers() const { return name_servers_; }

 private:
  void swap(NetworkSession& other);
  Status reserve_ports(const store::Record& record, Value& ports);

  store::Store* store_ = nullptr;
  std::string id_;
  Fd ns_;
  Fd lock_;
  std::vector<Fd> ports_;  // bound, so that nobody else gets them
  std::string address_;
  std::vector<std::string> name_servers_;
};

/// True when the container is attached to a bridge network when it runs.
bool uses_bridge(const store::HostConfig& host);

/// What is known of a running container's networks: {"networks": {NAME: {"address", "prefix", "gateway", "mac", "interface", "id"}},
/// "ports": [{"container_port", "host_ip", "host_port", "protocol"}]}; null when it has none.
Value network_status(const store::Store& store, std::string_view id);

/// Where the ports of a container are on this host while it runs.
std::vector<store::PortBinding> published_ports(const store::Store& store, std::string_view id, Arena& arena);

/// `network connect` and `network disconnect`. For a container that runs, its namespace is changed; the record is the caller's.
Status attach_network(store::Store& store, const store::Record& record, int pid,
                      const store::Network& network, const store::Attachment& attachment);
Status detach_network(store::Store& store, std::string_view id, int pid, std::string_view network);

/// Undoes what a killed monitor has left of a container that does not run any more: of one, or of all.
void collect_session(store::Store& store, std::string_view id);
void collect_sessions(store::Store& store);

}  // namespace slipway::manager
