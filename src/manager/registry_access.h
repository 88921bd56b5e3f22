// How this machine and this user speak to a registry.
#pragma once

#include <string>
#include <vector>

#include "oci/registry_client.h"

namespace slipway::manager {

/// A client for the registry of `domain`, as references have it, with the user's credentials (credentials.h).
///
/// TLS is wanted and verified; *.crt, and *.cert with *.key, of /etc/slipway/certs.d/DOMAIN, /etc/docker/certs.d/DOMAIN and
/// $XDG_CONFIG_HOME/docker/certs.d/DOMAIN count. This machine itself, and those that `insecure` lists, are spoken to without
/// verification, or by plain HTTP: but not where there is such a directory.
Result<oci::RegistryClient> open_registry(const std::string& domain,
                                          const std::vector<std::string>& insecure);
/// The same with other credentials.
Result<oci::RegistryClient> open_registry(const std::string& domain, const std::vector<std::string>& insecure,
                                          oci::Credentials credentials);

/// Does the host (perhaps with a port) stand for this machine?
bool is_loopback(std::string_view host);

}  // namespace slipway::manager
