#include "src/cli/slipway/container_options.h"

#include <fcntl.h>

#include <algorithm>
#include <cstdlib>

#include "oci/names.h"
#include "src/base/value.h"
#include "src/cli/slipway/environment.h"
#include "src/cli/slipway/format.h"
#include "src/cli/slipway/pairs.h"
#include "src/cli/slipway/ports.h"
#include "src/manager/container_log.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr size_t kProfileLimit = 1 << 20;

Error bad(const char* option, const char* text, const char* why) {
  return Error::of(ErrorKind::usage, "invalid argument \"%s\" for --%s: %s", text, option, why);
}

List<Str> texts(const Call& call, const char* name) {
  return option_texts(call, name);
}

Str text(const Call& call, const char* name) {
  return Str::wrap(call.args.value(name, ""));
}

Result<Map<Str>> read_labels(const Call& call) {
  ListBuilder<Str> words(call.arena);
  for (const Str line : TRY(file_lines(call, "label-file"))) words.add(line);
  for (const Str word : texts(call, "label")) words.add(word);
  return read_pairs("label", words.list(), false, call.arena);
}

Status read_healthcheck(const Call& call, store::ContainerConfig& config) {
  const Arguments& args = call.args;
  static constexpr const char* kDurations[] = {"health-interval", "health-timeout", "health-start-period",
                                               "health-start-interval"};
  bool any = args.given("health-cmd") || args.given("health-retries");
  for (const char* name : kDurations) any = any || args.given(name);
  if (args.flag("no-healthcheck")) {
    if (any) return Error::of(ErrorKind::usage, "--no-healthcheck conflicts with --health-* options");
    config.healthcheck = call.arena.make<store::Healthcheck>();
    config.healthcheck->test = call.arena.list<Str>(1);
    config.healthcheck->test[0] = "NONE";
    return {};
  }
  if (!any) return {};
  store::Healthcheck* check = config.healthcheck = call.arena.make<store::Healthcheck>();
  if (const char* command = args.value("health-cmd"); command && *command) {
    check->test = call.arena.list<Str>(2);
    check->test[0] = "CMD-SHELL";
    check->test[1] = Str::wrap(command);
  }
  int64_t* const targets[] = {&check->interval, &check->timeout, &check->start_period,
                              &check->start_interval};
  for (size_t i = 0; i < std::size(kDurations); ++i) {
    const char* text = args.value(kDurations[i]);
    if (!text) continue;
    *targets[i] = TRY(parse_duration(text).ctx("--%s", kDurations[i]));
    if (*targets[i] < 0) return Error::of(ErrorKind::usage, "--%s cannot be negative", kDurations[i]);
    if (*targets[i] != 0 && *targets[i] < 1'000'000)
      return Error::of(ErrorKind::usage, "--%s cannot be less than 1ms", kDurations[i]);
  }
  check->retries = static_cast<int32_t>(TRY(args.number("health-retries", 0, 0, 1'000'000)));
  return {};
}

Status read_attach(const Call& call, store::ContainerConfig& config, bool detach) {
  const List<Str> streams = texts(call, "attach");
  for (const Str stream : streams) {
    if (stream == "stdin" || stream == "STDIN")
      config.attach_stdin = true;
    else if (stream == "stdout" || stream == "STDOUT")
      config.attach_stdout = true;
    else if (stream == "stderr" || stream == "STDERR")
      config.attach_stderr = true;
    else
      return bad("attach", stream.c_str(), "valid streams are STDIN, STDOUT and STDERR");
  }
  if (detach && !streams.empty()) return Error::of(ErrorKind::usage, "conflicting options: -a and -d");
  config.open_stdin = call.args.flag("interactive");
  config.tty = call.args.flag("tty");
  if (streams.empty() && !detach) {
    config.attach_stdout = config.attach_stderr = true;
    config.attach_stdin = config.open_stdin;
  }
  config.stdin_once = config.open_stdin && config.attach_stdin;
  return {};
}

/// The profile of seccomp=FILE is read now, relative to here, and kept as docker keeps it: as the option's text.
Result<List<Str>> read_security(const Call& call) {
  List<Str> options = texts(call, "security-opt");
  for (Str& option : options) {
    const std::string_view word = option;
    if (!word.starts_with("seccomp=") && !word.starts_with("seccomp:")) continue;
    const std::string path(word.substr(8));
    if (path.empty() || path == "unconfined" || path == "builtin") continue;
    const std::string text = TRY(sys::read_file_at(AT_FDCWD, path.c_str(), kProfileLimit)
                                     .ctx("opening seccomp profile (%s) failed", path.c_str()));
    const Value profile =
        TRY(Value::parse(text).ctx("compacting json for seccomp profile (%s) failed", path.c_str()));
    option = call.arena.format("seccomp=%s", profile.json().c_str());
  }
  return options;
}

Status read_logging(const Call& call, store::HostConfig& host) {
  host.log_config.type = Str::wrap(call.args.value("log-driver", "json-file"));
  host.log_config.config = TRY(read_pairs(call, "log-opt", true));
  return manager::check_log_config(host.log_config);
}

/// The names of other containers and the modes that share nothing are checked where the store is known.
Status read_namespaces(const Call& call, store::HostConfig& host) {
  host.pid_mode = text(call, "pid");
  host.ipc_mode = text(call, "ipc");
  host.uts_mode = text(call, "uts");
  host.userns_mode = text(call, "userns");
  host.cgroupns_mode = text(call, "cgroupns");
  const auto shares = [](Str mode) { return mode.view().starts_with("container:") && mode.size > 10; };
  if (!host.pid_mode.empty() && host.pid_mode != "host" && host.pid_mode != "private" &&
      !shares(host.pid_mode))
    return Error::of(ErrorKind::usage, "--pid: invalid PID mode");
  if (!host.ipc_mode.empty() && host.ipc_mode != "host" && host.ipc_mode != "private" &&
      host.ipc_mode != "shareable" && host.ipc_mode != "none" && !shares(host.ipc_mode))
    return Error::of(ErrorKind::usage, "--ipc: invalid IPC mode");
  if (!host.uts_mode.empty() && host.uts_mode != "host" && host.uts_mode != "private" &&
      !shares(host.uts_mode))
    return Error::of(ErrorKind::usage, "--uts: invalid UTS mode");
  if (!host.userns_mode.empty() && host.userns_mode != "host")
    return Error::of(ErrorKind::unsupported, "--userns: only \"host\" is supported here");
  if (!host.cgroupns_mode.empty() && host.cgroupns_mode != "host" && host.cgroupns_mode != "private")
    return Error::of(ErrorKind::usage, "--cgroupns: invalid CGROUP mode");
  return {};
}

Status read_stop(const Call& call, store::ContainerConfig& config) {
  config.stop_signal = text(call, "stop-signal");
  if (!config.stop_signal.empty()) {
    auto signal = oci::parse_signal(config.stop_signal);
    if (!signal.ok() || *signal < 1)
      return Error::of(ErrorKind::usage, "Invalid signal: %s", config.stop_signal.c_str());
  }
  if (call.args.given("stop-timeout"))
    config.stop_timeout = static_cast<int32_t>(TRY(call.args.number("stop-timeout", 10, -1, 1'000'000'000)));
  return {};
}

/// IMAGE [COMMAND] [ARG...] and --entrypoint.
Status read_command(const Call& call, manager::CreateRequest& request) {
  store::ContainerConfig& config = request.record->config;
  config.image = Str::wrap(call.args[0]);
  if (config.image.empty()) return Error::of(ErrorKind::usage, "invalid reference format");
  config.cmd = call.arena.list<Str>(call.args.size() - 1);
  for (size_t i = 1; i < call.args.size(); ++i) config.cmd[i - 1] = Str::wrap(call.args[i]);
  if (const char* entrypoint = call.args.value("entrypoint")) {
    request.entrypoint_given = true;
    if (*entrypoint) {
      config.entrypoint = call.arena.list<Str>(1);
      config.entrypoint[0] = Str::wrap(entrypoint);
    }
  }
  return {};
}

/// What docker's kernel namespaces have of their own; the rest would be the host's.
Status check_sysctls(const Call& call, const store::HostConfig& host) {
  static constexpr const char* kKernel[] = {"kernel.msgmax", "kernel.msgmnb",         "kernel.msgmni",
                                            "kernel.sem",    "kernel.shmall",         "kernel.shmmax",
                                            "kernel.shmmni", "kernel.shm_rmid_forced"};
  for (const Entry<Str>& entry : host.sysctls) {
    const std::string_view key = entry.key;
    const bool ipc =
        key.starts_with("fs.mqueue.") ||
        std::any_of(std::begin(kKernel), std::end(kKernel), [&](const char* name) { return key == name; });
    const bool net = key.starts_with("net.");
    const bool shared = ipc ? text(call, "ipc") == "host" : host.network_mode == "host";
    if (!ipc && !net)
      return bad("sysctl", entry.key.c_str(), "the sysctl is not allowed: it is not of a namespace");
    if (shared)
      return bad("sysctl", entry.key.c_str(), "the sysctl is not allowed when its namespace is the host's");
  }
  return {};
}

/// Options of docker that have no meaning here, or no support.
Status read_refused(const Call& call) {
  const Arguments& args = call.args;
  if (args.given("link") || args.given("link-local-ip"))
    return Error::of(
        ErrorKind::unsupported,
        "--link is not supported: containers on one `network create` network find each other by name");
  if (args.given("gpus"))
    return Error::of(ErrorKind::unsupported, "--gpus is not supported: pass devices by --device");
  if (args.given("kernel-memory"))
    return Error::of(ErrorKind::unsupported,
                     "--kernel-memory is not supported: kernels have no such limit any more");
  if (const std::string_view isolation = args.value("isolation", "default");
      !isolation.empty() && isolation != "default")
    return Error::of(ErrorKind::usage, "invalid isolation: \"%s\": linux only supports 'default'",
                     isolation.data());
  if (const std::string_view driver = args.value("volume-driver", "local"); driver != "local")
    return Error::of(ErrorKind::unsupported, "volume driver \"%s\": only local is supported", driver.data());
  return {};
}

}  // namespace

Status read_restart_policy(const Call& call, store::HostConfig& host) {
  const std::string_view policy = call.args.value("restart", "no");
  const size_t colon = policy.find(':');
  const std::string_view name = policy.substr(0, colon);
  host.restart_policy.name = call.arena.copy(name);
  if (!name.empty() && name != "no" && name != "always" && name != "unless-stopped" && name != "on-failure")
    return Error::of(ErrorKind::invalid,
                     "invalid restart policy: unknown policy '%s'; use one of 'no', 'always', "
                     "'on-failure', or 'unless-stopped'",
                     policy.data());
  if (colon != std::string_view::npos) {
    char* end = nullptr;
    const long count = strtol(policy.data() + colon + 1, &end, 10);
    if (*end || end == policy.data() + colon + 1 || count < 0 || count > 1'000'000)
      return Error::of(ErrorKind::usage,
                       "invalid restart policy format: maximum retry count must be an integer");
    if (name != "on-failure")
      return Error::of(ErrorKind::usage,
                       "invalid restart policy: maximum retry count can only be used with 'on-failure'");
    host.restart_policy.maximum_retry_count = static_cast<int32_t>(count);
  }
  if (host.auto_remove && name != "no" && !name.empty())
    return Error::of(ErrorKind::usage, "conflicting options: --restart and --rm");
  return {};
}

Status read_container_options(const Call& call, manager::CreateRequest& request) {
  store::ContainerConfig& config = request.record->config;
  store::HostConfig& host = request.record->host;
  TRY(read_command(call, request));
  host.auto_remove = call.args.flag("rm");
  TRY(read_attach(call, config, request.detach));
  config.env = TRY(read_environment(call));
  config.labels = TRY(read_labels(call));
  host.annotations = TRY(read_pairs(call, "annotation", true));
  config.working_dir = text(call, "workdir");
  if (!config.working_dir.empty() && config.working_dir.c_str()[0] != '/')
    return Error::of(ErrorKind::usage,
                     "the working directory '%s' is invalid, it needs to be an absolute path",
                     config.working_dir.c_str());
  config.user = text(call, "user");
  config.hostname = text(call, "hostname");
  if (config.hostname.size > 64) return bad("hostname", config.hostname.c_str(), "longer than 64 characters");
  config.domainname = text(call, "domainname");
  TRY(read_stop(call, config));
  TRY(read_healthcheck(call, config));
  TRY(read_ports(call, *request.record));
  host.group_add = texts(call, "group-add");
  host.readonly_rootfs = call.args.flag("read-only");
  host.privileged = call.args.flag("privileged");
  host.cap_add = texts(call, "cap-add");
  host.cap_drop = texts(call, "cap-drop");
  host.security_opt = TRY(read_security(call));
  host.volumes_from = texts(call, "volumes-from");
  host.sysctls = TRY(read_pairs(call, "sysctl", true));
  host.storage_opt = TRY(read_pairs(call, "storage-opt", true));
  host.cgroup_parent = text(call, "cgroup-parent");
  if (("/" + std::string(host.cgroup_parent.view()) + "/").find("/../") != std::string::npos)
    return bad("cgroup-parent", host.cgroup_parent.c_str(), "leads out of the cgroup tree");
  host.init = call.args.flag("init");
  host.runtime = text(call, "runtime");
  TRY(read_restart_policy(call, host));
  TRY(read_network(call, *request.record));
  if (host.network_mode == "host" && (call.args.given("publish") || call.args.flag("publish-all")))
    call.log.warn(call.program.name, "Published ports are discarded when using host network mode");
  TRY(read_logging(call, host));
  TRY(read_namespaces(call, host));
  TRY(check_sysctls(call, host));
  TRY(read_resources(call, host));
  TRY(read_mounts(call, request));
  TRY(read_refused(call));
  const std::string_view pull = call.args.value("pull", "missing");
  if (pull != "missing" && pull != "never" && pull != "always")
    return Error::of(ErrorKind::usage,
                     "invalid pull option: '%s': must be one of \"always\", \"missing\" or \"never\"",
                     pull.data());
  request.name = call.args.value("name", "");
  request.platform = call.args.value("platform", "");
  return {};
}

}  // namespace slipway::cli
