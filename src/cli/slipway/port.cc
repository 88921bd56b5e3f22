// `port`: what is published of a container.
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/network.h"
#include "src/store/containers.h"

namespace slipway::cli {

namespace {

Result<int> run(const Call& call) {
  const auto store = TRY(open_store(call));
  store::Containers containers(*store);
  const std::string id = TRY(containers.find(call.args[0]));
  std::string wanted = call.args.size() > 1 ? call.args[1] : "";
  if (!wanted.empty() && wanted.find('/') == std::string::npos) wanted += "/tcp";
  std::string text;
  for (const store::PortBinding& binding : manager::published_ports(*store, id, call.arena)) {
    if (!wanted.empty() && binding.port != wanted) continue;
    if (wanted.empty()) text.append(binding.port.view()).append(" -> ");
    text.append(binding.host_ip.empty() ? "0.0.0.0" : binding.host_ip.view());
    text.append(":").append(binding.host_port.view()).append("\n");
  }
  if (text.empty() && !wanted.empty())
    return Error::of(ErrorKind::not_found, "No public port '%s' published for %s", wanted.c_str(),
                     call.args[0]);
  TRY(print(text));
  return 0;
}

constexpr Verb kVerb = {"port",
                        "CONTAINER [PORT[/PROTOCOL]]",
                        "Show the published ports of a container",
                        {},
                        1,
                        2,
                        false,
                        run,
                        "port web 80"};

}  // namespace

const Verb kPort = kVerb;
const Verb kContainerPort = as("container port", kVerb);

}  // namespace slipway::cli
