// netavark (netavark(1)): a program that fills a network namespace by a JSON document.
#pragma once

#include <string>

#include "src/base/result.h"
#include "src/base/value.h"
#include "src/store/networks.h"

namespace slipway::manager {

class Netavark {
 public:
  /// `state_dir` is for its name server. Errors: unsupported when it is not installed.
  static Result<Netavark> find(std::string state_dir);

  /// Whether containers on the network find each other by name: not on the default one, as with docker.
  bool serves_names(const store::Network& network) const;

  /// One network as the document wants it, below "network_info".
  Value describe(const store::Network& network) const;
  /// Attaches the namespace at `path`; the result is what it printed: addresses by network.
  Result<Value> set_up(const std::string& path, const Value& document) const;
  Status tear_down(const std::string& path, const Value& document) const;

 private:
  Result<std::string> run(const char* verb, const std::string& path, const Value& document) const;

  std::string program_, name_server_, state_dir_;
};

}  // namespace slipway::manager
