// `info`: the store, its driver and the machine.
#include <fcntl.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "src/base/version.h"
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/image_session.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/network_backend.h"
#include "src/manager/observe.h"
#include "src/store/containers.h"
#include "src/store/id.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("format", 'f', "TEMPLATE", "print with a Go template, or json"),
});

/// A value of os-release(5), or the fallback.
std::string os_release(std::string_view key, const char* fallback) {
  auto text = sys::read_file_at(AT_FDCWD, "/etc/os-release", 1 << 16);
  if (!text.ok()) return fallback;
  const std::string lines = "\n" + *text;
  const std::string begin = std::string("\n").append(key).append("=\"");
  const size_t at = lines.find(begin);
  if (at == std::string::npos) return fallback;
  const size_t value = at + begin.size();
  return lines.substr(value, lines.find('"', value) - value);
}

/// Of the environment, in either spelling.
std::string proxy(const char* lower, const char* upper) {
  const char* value = getenv(lower);
  if (!value) value = getenv(upper);
  return value ? value : "";
}

Result<Value> info_value(const Call& call) {
  const auto store = TRY(open_store(call));
  store::Containers containers(*store);
  drivers::Driver* driver = TRY(store->driver());
  utsname system = {};
  uname(&system);
  struct sysinfo memory = {};
  sysinfo(&memory);
  Value info = Value::object();
  int64_t all = 0;
  int64_t running = 0;
  int64_t paused = 0;
  for (const std::string& id : TRY(containers.list())) {
    Arena arena;
    auto observed = manager::observe(*store, id, arena);
    if (!observed.ok()) continue;
    ++all;
    if (observed->status == store::ContainerStatus::paused) ++paused;
    if (observed->status == store::ContainerStatus::running) ++running;
  }
  ImageSession images = TRY(open_images(call));
  info.set("ID", TRY(store->id()))
      .set("Containers", all)
      .set("ContainersRunning", running)
      .set("ContainersPaused", paused);
  info.set("ContainersStopped", all - running - paused);
  info.set("Images", static_cast<int64_t>(TRY(images.images.images.list(call.arena)).size()));
  info.set("Driver", driver->name());
  Value status = Value::array();
  for (const auto& [key, value] : driver->status()) status.add(Value::array().add(key).add(value));
  for (const auto& [key, value] : store->options().driver_options)
    status.add(Value::array().add(key).add(value));
  info.set("DriverStatus", std::move(status));
  auto network = manager::NetworkBackend::find(*store, store->options().network_backend);
  info.set("NetworkBackend", network.ok() ? (*network)->name() : "none");
  info.set("Root", store->root());
  info.set("DockerRootDir", store->root());
  info.set("RunRoot", store->run_root());
  info.set("ServerVersion", version());
  info.set("KernelVersion", system.release);
  info.set("OperatingSystem", os_release("PRETTY_NAME", "Linux"))
      .set("OSVersion", os_release("VERSION_ID", ""));
  info.set("OSType", "linux");
  info.set("Architecture", system.machine);
  info.set("NCPU", static_cast<int64_t>(sysconf(_SC_NPROCESSORS_ONLN)));
  info.set("MemTotal", static_cast<int64_t>(memory.totalram * memory.mem_unit));
  info.set("Name", system.nodename);
  info.set("DefaultRuntime", "slip");
  info.set("Runtimes", Value::map().set("slip", Value::object().set("path", "slip")));
  info.set("Swarm", Value::object().set("LocalNodeState", "inactive").set("ControlAvailable", false));
  info.set("LiveRestoreEnabled", true);  // there is no daemon that could take them down
  info.set("InitBinary", "slip").set("Isolation", "");
  info.set("HttpProxy", proxy("http_proxy", "HTTP_PROXY"))
      .set("HttpsProxy", proxy("https_proxy", "HTTPS_PROXY"));
  info.set("NoProxy", proxy("no_proxy", "NO_PROXY"));
  info.set("IndexServerAddress", "https://index.docker.io/v1/").set("Labels", Value::array());
  for (const char* limit : {"MemoryLimit", "SwapLimit", "CpuCfsPeriod", "CpuCfsQuota", "CPUShares", "CPUSet",
                            "PidsLimit", "OomKillDisable"})
    info.set(limit, true);
  info.set("Plugins",
           Value::object()
               .set("Volume", Value::array().add("local"))
               .set("Network", Value::array().add("bridge").add("host").add("null"))
               .set("Authorization", Value::no_list())
               .set("Log", Value::array().add("journald").add("json-file").add("none").add("syslog")));
  info.set("Debug", false).set("ExperimentalBuild", false).set("Warnings", Value::no_list());
  info.set("SystemTime", store::now_rfc3339());
  info.set("SecurityOptions", Value::array().add("name=seccomp,profile=default"));
  info.set("CgroupDriver", "cgroupfs")
      .set("CgroupVersion", access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "2" : "1");
  info.set("LoggingDriver", "json-file");
  return info;
}

Result<int> run(const Call& call) {
  const Value info = TRY(info_value(call));
  if (const char* format = call.args.value("format")) {
    TRY(print_formatted(format, info));
    return 0;
  }
  std::string text;
  const auto row = [&](const char* name, const char* field) {
    text.append(name).append(": ").append(go_text(info[field])).append("\n");
  };
  row("Containers", "Containers");
  row(" Running", "ContainersRunning");
  row(" Paused", "ContainersPaused");
  row(" Stopped", "ContainersStopped");
  row("Images", "Images");
  row("Server Version", "ServerVersion");
  row("Storage Driver", "Driver");
  for (const Value& pair : info["DriverStatus"].items())
    text.append(" ").append(pair.items()[0].text()).append(": ").append(pair.items()[1].text()).append("\n");
  row("Logging Driver", "LoggingDriver");
  row("Network Backend", "NetworkBackend");
  row("Cgroup Driver", "CgroupDriver");
  row("Cgroup Version", "CgroupVersion");
  row("Default Runtime", "DefaultRuntime");
  row("Kernel Version", "KernelVersion");
  row("Operating System", "OperatingSystem");
  row("OSType", "OSType");
  row("Architecture", "Architecture");
  row("CPUs", "NCPU");
  text.append("Total Memory: ").append(binary_size(info["MemTotal"].real())).append("\n");
  row("Name", "Name");
  row("ID", "ID");
  row("Root Dir", "Root");
  row("Run Dir", "RunRoot");
  TRY(print(text));
  return 0;
}

constexpr Verb kVerb = {"info",   "",  "Show what is known of this store and this machine",
                        kOptions, 0,   0,
                        false,    run, "info -f '{{.Driver}}'"};

}  // namespace

const Verb kInfo = kVerb;
const Verb kSystemInfo = as("system info", kVerb);

}  // namespace slipway::cli
