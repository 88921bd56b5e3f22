// A store: one root directory with images, layers, containers and volumes, and one run directory with what a
// reboot may lose. Several programs use one store at once; there is no daemon and no global lock.
//
//   <root>/containers/<id>/    record.json, config.json, log, hostname, hosts, resolv.conf    containers.h
//   <root>/names/<name>        a symbolic link to the container's id, made by whoever claims the name
//   <root>/ids/<12 digits>     a symbolic link to the whole id: the short id finds it in one look-up
//   <root>/volumes/<name>/     record.json and _data                                            volumes.h
//   <root>/locks/              lock files that belong to no single object
//   <root>/pending/<id>/       containers that are being made or removed; see containers.h
//   <root>/store-id            a UUID, for those who ask which store this is
//
// Publishing is one rename out of pending/, removing is one rename into it. Readers take no locks. Images and
// layers have rooms of their own: root.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "drivers/driver.h"
#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::store {

struct StoreOptions {
  std::string root;      // absolute; /var/lib/slipway by default
  std::string run_root;  // absolute; /run/slipway by default
  std::string driver;    // "" for the driver's registry to choose
  drivers::Options driver_options;
  std::string network_backend;  // "netavark" or "cni"; "" for what is installed
};

class Store {
 public:
  /// Opens the store; makes its directories when they are not there.
  static Result<std::unique_ptr<Store>> open(StoreOptions options);

  const std::string& root() const { return options_.root; }
  const std::string& run_root() const { return options_.run_root; }
  const StoreOptions& options() const { return options_; }
  int root_fd() const { return root_.get(); }
  int run_fd() const { return run_.get(); }

  /// The graph driver; opened when it is first asked for. Owned by the store. Without a choice by option the one
  /// that choose_driver() wrote down, else the registry's.
  Result<drivers::Driver*> driver(drivers::ForeignOptions foreign = drivers::ForeignOptions::refuse);
  /// Writes the choice down for all who come, in <root>/driver. One rename.
  Status choose_driver(const std::string& name);
  /// The store's own UUID; made when it is first asked for.
  Result<std::string> id() const;

 private:
  explicit Store(StoreOptions options) : options_(std::move(options)) {}

  StoreOptions options_;
  Fd root_;
  Fd run_;
  std::unique_ptr<drivers::Driver> driver_;
};

}  // namespace slipway::store
