// Who the user is to registries: Docker's ~/.docker/config.json ($DOCKER_CONFIG names another directory), and the
// credential helpers (docker-credential-NAME) that it names.
#pragma once

#include <string>

#include "oci/registry_client.h"

namespace slipway::manager {

/// None where nothing is known of the registry. `domain` as references have it: "docker.io", "localhost:5000".
Result<oci::Credentials> find_credentials(const std::string& domain);

struct StoredCredentials {
  std::string file;    // that holds them in plain, or ""
  std::string helper;  // the program that was given them, or ""
};
/// One rename; every other member of the file stays, and nobody else can read it.
Result<StoredCredentials> store_credentials(const std::string& domain, const oci::Credentials& credentials);
/// False: there were none.
Result<bool> erase_credentials(const std::string& domain);

}  // namespace slipway::manager
