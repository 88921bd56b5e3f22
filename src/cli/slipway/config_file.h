// /etc/slipway/config.json: what the options of every command would say. $SLIPWAY_CONFIG names another file.
#pragma once

#include <string>
#include <vector>

#include "src/base/result.h"

namespace slipway::cli {

/// All empty where the file says nothing, and when there is none.
struct ConfigFile {
  std::string root;                              // "root"
  std::string run_root;                          // "run-root"
  std::string storage_driver;                    // "storage-driver"
  std::vector<std::string> storage_options;      // "storage-opts": ["KEY=VALUE", ...]
  std::string network;                           // "network": of containers that are made without --network
  std::string network_backend;                   // "network-backend": netavark or cni
  std::vector<std::string> insecure_registries;  // "insecure-registries": ["HOST:PORT", ...]
};

/// Errors name the file and the key; a key that is not known is one.
Result<ConfigFile> read_config_file();

}  // namespace slipway::cli
