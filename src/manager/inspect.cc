#include "src/manager/inspect.h"

#include "src/manager/network.h"
#include "src/manager/observe.h"
#include "src/manager/spec.h"
#include "src/store/containers.h"

namespace slipway::manager {

namespace {

using store::ContainerStatus;

constexpr char kNever[] = "0001-01-01T00:00:00Z";

Value map_or_omitted(const Map<Str>& map) {
  return map.empty() ? Value::omitted("map[]") : Value::map_of(map);
}

Value list_or_null(const List<Str>& list) {
  return list.empty() ? Value::no_list() : Value::strings(list);
}

Value health_value(const store::Health& health) {
  Value out = Value::object();
  out.set("Status", health.status).set("FailingStreak", health.failing_streak);
  Value log = Value::array();
  for (const store::HealthResult& result : health.log)
    log.add(Value::object()
                .set("Start", result.start)
                .set("End", result.end)
                .set("ExitCode", result.exit_code)
                .set("Output", result.output));
  return out.set("Log", std::move(log));
}

Value state_value(const Observed& observed) {
  const store::State& state = *observed.state;
  const ContainerStatus status = observed.status;
  Value out = Value::object();
  out.set("Status", to_string(status));
  out.set("Running", observed.is_running() || status == ContainerStatus::restarting);
  out.set("Paused", status == ContainerStatus::paused);
  out.set("Restarting", status == ContainerStatus::restarting);
  out.set("OOMKilled", state.oom_killed);
  out.set("Dead", false);
  out.set("Pid", observed.is_running() ? state.pid : 0);
  out.set("ExitCode", state.exit_code);
  out.set("Error", state.error);
  out.set("StartedAt", state.started_at.empty() ? Str(kNever) : state.started_at);
  out.set("FinishedAt", state.finished_at.empty() ? Str(kNever) : state.finished_at);
  out.set("Health", state.health ? health_value(*state.health) : Value::omitted("<nil>"));
  return out;
}

Value healthcheck_value(const store::Healthcheck& check) {
  Value out = Value::object();
  const auto duration = [](int64_t value) { return value ? Value::duration(value) : Value::omitted("0s"); };
  out.set("Test", check.test.empty() ? Value::omitted("[]") : Value::strings(check.test));
  out.set("Interval", duration(check.interval)).set("Timeout", duration(check.timeout));
  out.set("StartPeriod", duration(check.start_period));
  if (check.start_interval) out.set("StartInterval", duration(check.start_interval));
  return out.set("Retries", check.retries ? Value(check.retries) : Value::omitted("0"));
}

Value set_of(const List<Str>& keys) {
  Value out = Value::map();
  for (const Str key : keys) out.set(key, Value::object());
  return out;
}

Value config_value(const store::ContainerConfig& config) {
  Value out = Value::object();
  out.set("Hostname", config.hostname);
  out.set("Domainname", config.domainname);
  out.set("User", config.user);
  out.set("AttachStdin", config.attach_stdin);
  out.set("AttachStdout", config.attach_stdout);
  out.set("AttachStderr", config.attach_stderr);
  out.set("ExposedPorts",
          config.exposed_ports.empty() ? Value::omitted("map[]") : set_of(config.exposed_ports));
  out.set("Tty", config.tty);
  out.set("OpenStdin", config.open_stdin);
  out.set("StdinOnce", config.stdin_once);
  out.set("Env", list_or_null(config.env));
  out.set("Cmd", list_or_null(config.cmd));
  out.set("Healthcheck",
          config.healthcheck ? healthcheck_value(*config.healthcheck) : Value::omitted("<nil>"));
  out.set("Image", config.image);
  out.set("Volumes", config.volumes.empty() ? Value::no_map() : set_of(config.volumes));
  out.set("WorkingDir", config.working_dir);
  out.set("Entrypoint", list_or_null(config.entrypoint));
  out.set("NetworkDisabled", Value::omitted("false")).set("MacAddress", Value::omitted(""));
  out.set("ArgsEscaped", Value::omitted("false"));
  out.set("OnBuild", Value::no_list());
  out.set("Labels", Value::map_of(config.labels));
  out.set("StopSignal", config.stop_signal.empty() ? Value::omitted("") : Value(config.stop_signal));
  out.set("StopTimeout", config.stop_timeout ? Value(*config.stop_timeout) : Value::omitted("<nil>"));
  return out.set("Shell", Value::omitted("[]"));
}

Value port_map(const std::vector<store::PortBinding>& bindings) {
  Value out = Value::map();
  for (const store::PortBinding& binding : bindings) {
    Value list = out.find(binding.port) ? out[binding.port] : Value::array();
    list.add(Value::object().set("HostIp", binding.host_ip).set("HostPort", binding.host_port));
    out.set(binding.port, std::move(list));
  }
  return out;
}

Value devices_value(const store::HostConfig& host) {
  Value out = Value::array();
  for (const store::DeviceMapping& device : host.devices)
    out.add(Value::object()
                .set("PathOnHost", device.path_on_host)
                .set("PathInContainer", device.path_in_container)
                .set("CgroupPermissions", device.cgroup_permissions));
  return out;
}

Value ulimits_value(const store::HostConfig& host) {
  if (host.ulimits.empty()) return Value::no_list();
  Value out = Value::array();
  for (const store::Ulimit& limit : host.ulimits)
    out.add(Value::printed(
        Value::object().set("Name", limit.name).set("Hard", limit.hard).set("Soft", limit.soft),
        limit.name.c_str() + ("=" + std::to_string(limit.soft) + ":" + std::to_string(limit.hard))));
  return out;
}

/// Those of --mount, as the user gave them.
Value requested_mounts(const store::HostConfig& host) {
  if (host.mounts.empty()) return Value::omitted("[]");
  Value out = Value::array();
  for (const store::MountPoint& mount : host.mounts) {
    Value one = Value::object();
    const Str source = mount.type == "volume" ? mount.name : mount.source;
    one.set("Type", mount.type);
    one.set("Source", source.empty() ? Value::omitted("") : Value(source)).set("Target", mount.destination);
    one.set("ReadOnly", mount.read_only ? Value(true) : Value::omitted("false"));
    one.set("BindOptions", mount.propagation.empty() ? Value::omitted("<nil>")
                                                     : Value::object().set("Propagation", mount.propagation));
    one.set("VolumeOptions", mount.no_copy ? Value::object().set("NoCopy", true) : Value::omitted("<nil>"));
    Value tmpfs = Value::object();
    for (const Str option : mount.type == "tmpfs" ? mount.options : List<Str>()) {
      const bool size = option.view().starts_with("size=");
      tmpfs.set(size ? "SizeBytes" : "Mode",
                static_cast<int64_t>(strtoll(option.c_str() + 5, nullptr, size ? 10 : 8)));
    }
    one.set("TmpfsOptions", tmpfs.members().empty() ? Value::omitted("<nil>") : std::move(tmpfs));
    out.add(std::move(one));
  }
  return out;
}

Value throttles_value(const List<store::ThrottleRule>& rules, const char* field) {
  Value out = Value::array();
  for (const store::ThrottleRule& rule : rules)
    out.add(Value::object().set("Path", rule.path).set(field, static_cast<int64_t>(rule.rate)));
  return out;
}

void add_resources(Value& out, const store::HostConfig& host) {
  out.set("CpuShares", host.cpu_shares);
  out.set("Memory", host.memory);
  out.set("NanoCpus", host.nano_cpus);
  out.set("CgroupParent", host.cgroup_parent);
  out.set("BlkioWeight", static_cast<int>(host.blkio_weight));
  out.set("BlkioWeightDevice", throttles_value(host.blkio_weight_device, "Weight"));
  out.set("BlkioDeviceReadBps", throttles_value(host.blkio_device_read_bps, "Rate"));
  out.set("BlkioDeviceWriteBps", throttles_value(host.blkio_device_write_bps, "Rate"));
  out.set("BlkioDeviceReadIOps", throttles_value(host.blkio_device_read_iops, "Rate"));
  out.set("BlkioDeviceWriteIOps", throttles_value(host.blkio_device_write_iops, "Rate"));
  out.set("CpuRealtimePeriod", host.cpu_realtime_period);
  out.set("CpuRealtimeRuntime", host.cpu_realtime_runtime);
  out.set("DeviceRequests", Value::no_list());
  out.set("CpuPeriod", host.cpu_period);
  out.set("CpuQuota", host.cpu_quota);
  out.set("CpusetCpus", host.cpuset_cpus);
  out.set("CpusetMems", host.cpuset_mems);
  out.set("Devices", devices_value(host));
  out.set("DeviceCgroupRules", list_or_null(host.device_cgroup_rules));
  out.set("MemoryReservation", host.memory_reservation);
  out.set("MemorySwap", host.memory_swap || !host.memory ? host.memory_swap : host.memory * 2);
  out.set("MemorySwappiness", host.memory_swappiness ? Value(*host.memory_swappiness) : Value::no_pointer());
  out.set("KernelMemory", 0).set("KernelMemoryTCP", 0);
  out.set("OomKillDisable", host.oom_kill_disable);
  out.set("PidsLimit", host.pids_limit ? Value(*host.pids_limit) : Value::no_pointer());
  out.set("Ulimits", ulimits_value(host));
  out.set("CpuCount", 0).set("CpuPercent", 0).set("IOMaximumIOps", 0).set("IOMaximumBandwidth", 0);
}

Value host_value(const store::Record& record, Arena& arena) {
  const store::HostConfig& host = record.host;
  Value out = Value::object();
  out.set("Binds", list_or_null(host.binds));
  out.set("ContainerIDFile", "");
  out.set(
      "LogConfig",
      Value::object().set("Type", host.log_config.type).set("Config", Value::map_of(host.log_config.config)));
  out.set("NetworkMode", host.network_mode);
  out.set("PortBindings", port_map({host.port_bindings.begin(), host.port_bindings.end()}));
  out.set("RestartPolicy", Value::object()
                               .set("Name", host.restart_policy.name)
                               .set("MaximumRetryCount", host.restart_policy.maximum_retry_count));
  out.set("AutoRemove", host.auto_remove);
  out.set("VolumeDriver", "");
  out.set("VolumesFrom", list_or_null(host.volumes_from));
  out.set("CapAdd", list_or_null(host.cap_add));
  out.set("CapDrop", list_or_null(host.cap_drop));
  out.set("CgroupnsMode", host.cgroupns_mode.empty() ? Str("host") : host.cgroupns_mode);
  out.set("Dns", Value::strings(host.dns));
  out.set("DnsOptions", Value::strings(host.dns_options));
  out.set("DnsSearch", Value::strings(host.dns_search));
  out.set("ExtraHosts", list_or_null(host.extra_hosts));
  out.set("GroupAdd", list_or_null(host.group_add));
  out.set("IpcMode", host.ipc_mode.empty() ? Str("private") : host.ipc_mode);
  out.set("Cgroup", "");
  out.set("Links", Value::no_list());
  out.set("OomScoreAdj", host.oom_score_adj);
  out.set("PidMode", host.pid_mode);
  out.set("Privileged", host.privileged);
  out.set("PublishAllPorts", host.publish_all_ports);
  out.set("ReadonlyRootfs", host.readonly_rootfs);
  out.set("SecurityOpt", list_or_null(host.security_opt));
  out.set("StorageOpt", map_or_omitted(host.storage_opt));
  out.set("Tmpfs", map_or_omitted(host.tmpfs));
  out.set("Mounts", requested_mounts(host));
  out.set("UTSMode", host.uts_mode);
  out.set("UsernsMode", host.userns_mode);
  out.set("ShmSize", host.shm_size);
  out.set("Sysctls", map_or_omitted(host.sysctls));
  out.set("Runtime", host.runtime.empty() ? Str("slip") : host.runtime);
  out.set("ConsoleSize", Value::array().add(0).add(0));
  out.set("Isolation", "");
  out.set("Init", host.init ? Value(true) : Value::omitted("<nil>"));
  out.set("Annotations", map_or_omitted(host.annotations));
  add_resources(out, host);
  out.set("MaskedPaths", Value::strings(masked_paths(host, arena)));
  out.set("ReadonlyPaths", Value::strings(read_only_paths(host, arena)));
  return out;
}

Value mounts_value(const store::Record& record) {
  Value out = Value::array();
  for (const store::MountPoint& mount : record.mounts) {
    if (record.host.tmpfs.find(mount.destination)) continue;  // of --tmpfs: docker shows it there only
    Value one = Value::object();
    one.set("Type", mount.type);
    if (!mount.name.empty()) one.set("Name", mount.name);
    one.set("Source", mount.source);
    one.set("Destination", mount.destination);
    if (mount.type == "volume") one.set("Driver", "local");
    // docker labels a volume that says nothing else.
    const bool plain = mount.mode.empty() && mount.type == "volume" && !mount.anonymous;
    one.set("Mode", mount.mode == "exact" ? Str() : plain ? Str("z") : mount.mode);
    one.set("RW", !mount.read_only);
    one.set("Propagation",
            mount.propagation.empty() && mount.type == "bind" ? Str("rprivate") : mount.propagation);
    out.add(std::move(one));
  }
  return out;
}

Value text_of(const Value& value) {
  return value.is_string() ? value : Value("");
}

/// One network of the container; `status` is empty when it does not run.
Value endpoint_value(const store::Attachment* attachment, const Value& status) {
  Value out = Value::object();
  out.set("Aliases", attachment && !attachment->aliases.empty() ? Value::strings(attachment->aliases)
                                                                : Value::no_list());
  out.set("NetworkID", text_of(status["id"])).set("IPAddress", text_of(status["address"]));
  out.set("IPPrefixLen", status["prefix"].is_integer() ? status["prefix"] : Value(0));
  out.set("IPAMConfig", attachment && !attachment->address.empty()
                            ? Value::object().set("IPv4Address", attachment->address)
                            : Value::no_pointer());
  out.set("Links", Value::no_list()).set("EndpointID", "").set("DriverOpts", Value::no_map());
  out.set("IPv6Gateway", "").set("GlobalIPv6Address", "").set("GlobalIPv6PrefixLen", 0);
  return out.set("Gateway", text_of(status["gateway"])).set("MacAddress", text_of(status["mac"]));
}

/// The file of the container's own network namespace; "" when it has none, or does not run.
std::string network_namespace(const store::Record& record, const Observed& observed) {
  const std::string_view mode = record.host.network_mode;
  if (!observed.is_running() || mode == "host" || mode.starts_with("container:") || mode.starts_with("ns:"))
    return "";
  return "/proc/" + std::to_string(observed.state->pid) + "/ns/net";
}

Value network_value(const store::Store& store, const store::Record& record, const Observed& observed) {
  const bool running = observed.is_running();
  const Value status = running ? network_status(store, record.id) : Value();
  Value networks = Value::map();
  const std::string_view mode = record.host.network_mode;
  for (const store::Attachment& one : record.networks)
    networks.set(one.network, endpoint_value(&one, status["networks"][one.network]));
  if (record.networks.empty() && !mode.starts_with("container:") && !mode.starts_with("ns:"))
    networks.set(mode == "default" ? "none" : mode, endpoint_value(nullptr, Value()));
  const Value first = record.networks.empty() ? Value() : status["networks"][record.networks[0].network];
  Value ports = Value::map();
  for (const Str port : record.config.exposed_ports) ports.set(port, Value::no_list());
  Arena arena;
  const Value bindings = running ? port_map(published_ports(store, record.id, arena)) : Value::map();
  for (const auto& member : bindings.members()) ports.set(member.key, member.value);
  return Value::object()
      .set("Bridge", "")
      .set("SandboxID", "")
      .set("HairpinMode", false)
      .set("LinkLocalIPv6Address", "")
      .set("LinkLocalIPv6PrefixLen", 0)
      .set("SecondaryIPAddresses", Value::no_list())
      .set("SecondaryIPv6Addresses", Value::no_list())
      .set("EndpointID", "")
      .set("GlobalIPv6Address", "")
      .set("GlobalIPv6PrefixLen", 0)
      .set("IPv6Gateway", "")
      .set("Ports", std::move(ports))
      .set("IPAddress", text_of(first["address"]))
      .set("IPPrefixLen", first["prefix"].is_integer() ? first["prefix"] : Value(0))
      .set("Gateway", text_of(first["gateway"]))
      .set("MacAddress", text_of(first["mac"]))
      .set("SandboxKey", network_namespace(record, observed))
      .set("Networks", std::move(networks));
}

Result<Value> graph_driver_value(store::Store& store, const store::Record& record) {
  drivers::Driver* driver = TRY(store.driver());
  Value data = Value::map();
  auto metadata = driver->metadata(record.id);
  if (metadata.ok())
    for (const auto& [key, value] : *metadata) data.set(key, value);
  return Value::object().set("Name", driver->name()).set("Data", std::move(data));
}

}  // namespace

Result<Value> inspect_container(store::Store& store, std::string_view id, bool size) {
  Arena arena;
  store::Containers containers(store);
  const store::Record& record = *TRY(containers.load(id, arena));
  const Observed observed = TRY(observe(store, id, arena));
  const std::string dir = containers.path(id);
  Value out = Value::object();
  out.set("Id", record.id);
  out.set("Created", record.created);
  out.set("Path", record.path);
  out.set("Args", Value::strings(record.args));
  out.set("State", state_value(observed));
  out.set("Image", record.image);
  out.set("ResolvConfPath", dir + "/resolv.conf");
  out.set("HostnamePath", dir + "/hostname");
  out.set("HostsPath", dir + "/hosts");
  out.set("LogPath", record.host.log_config.type == "json-file" ? dir + "/log" : std::string());
  out.set("Name", "/" + std::string(record.name.view()));
  out.set("RestartCount", observed.state->restart_count);
  out.set("Driver", TRY(store.driver())->name());
  out.set("Platform", "linux");
  out.set("MountLabel", "");
  out.set("ProcessLabel", "");
  out.set("AppArmorProfile", "");
  out.set("ExecIDs", Value::no_list());
  out.set("HostConfig", host_value(record, arena));
  out.set("GraphDriver", TRY(graph_driver_value(store, record)));
  if (size) {
    drivers::Driver* driver = TRY(store.driver());
    const drivers::Usage own = TRY(driver->usage(id));
    uint64_t total = own.bytes;
    if (!record.layer.empty()) total += TRY(driver->usage(record.layer)).bytes;
    out.set("SizeRw", own.bytes).set("SizeRootFs", total);
  } else {
    out.set("SizeRw", Value::omitted("<nil>")).set("SizeRootFs", Value::omitted("<nil>"));
  }
  out.set("Mounts", mounts_value(record));
  out.set("Config", config_value(record.config));
  out.set("NetworkSettings", network_value(store, record, observed));
  return out;
}

}  // namespace slipway::manager
