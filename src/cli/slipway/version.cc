#include <sys/utsname.h>

#include "oci/spec.h"
#include "src/base/version.h"
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/verbs.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("format", 'f', "TEMPLATE", "print with a Go template, or json"),
});

Value version_value() {
  utsname system = {};
  uname(&system);
  Value client = Value::object();
  client.set("Version", version());
  // docker's JSON has the first of these names, its templates the second.
  client.set("ApiVersion", "1.43").set("APIVersion", "1.43");
  client.set("GitCommit", commit());
  client.set("Os", "linux");
  client.set("Arch", docker_architecture(system.machine));
  client.set("KernelVersion", system.release);
  client.set("SpecVersion", oci::kRuntimeSpecVersion);
  Value all = Value::object();
  all.set("Client", client);
  // There is no daemon: the client is the server too.
  all.set("Server", std::move(client));
  return all;
}

Result<int> run(const Call& call) {
  const Value version = version_value();
  if (const char* format = call.args.value("format")) {
    TRY(print_formatted(format, version));
    return 0;
  }
  const Value& client = version["Client"];
  std::string text = "Slipway (no daemon):\n";
  for (const auto& [key, name] : {std::pair("Version", " Version:      "),
                                  {"ApiVersion", " API version:  "},
                                  {"GitCommit", " Git commit:   "},
                                  {"SpecVersion", " OCI runtime:  "},
                                  {"KernelVersion", " Kernel:       "}})
    text.append(name).append(client[key].text()).append("\n");
  text.append(" OS/Arch:      linux/").append(client["Arch"].text()).append("\n");
  TRY(print(text));
  return 0;
}

}  // namespace

const Verb kVersion = {"version",        "", "Show the version information", kOptions, 0, 0, false, run,
                       "version -f json"};

}  // namespace slipway::cli
