// netavark (netavark(1)): a program that fills a network namespace by a JSON document.
#pragma once

#include "src/manager/network_backend.h"

namespace slipway::manager {

class Netavark final : public NetworkBackend {
 public:
  /// `state_dir` is for its name server. Null when it is not installed.
  static std::unique_ptr<Netavark> find(std::string state_dir);

  const char* name() const override { return "netavark"; }
  bool serves_names(const store::Network& network) const override;
  Result<Value> set_up(const std::string& path, const Value& document) const override;
  Status tear_down(const std::string& path, const Value& document) const override;

 private:
  Result<std::string> run(const char* verb, const std::string& path, const Value& document) const;

  std::string program_, name_server_, state_dir_;
};

}  // namespace slipway::manager
