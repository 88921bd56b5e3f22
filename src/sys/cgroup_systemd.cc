#include "src/sys/cgroup_systemd.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "src/sys/file.h"

namespace slipway::sys {
namespace {

constexpr char kName[] = "org.freedesktop.systemd1";
constexpr char kPath[] = "/org/freedesktop/systemd1";
constexpr char kInterface[] = "org.freedesktop.systemd1.Manager";
constexpr int kJobTimeout = 30'000;  // milliseconds

/// The caller's user id as the other end of a socket sees it: from outside the caller's user namespace.
uid_t outer_uid() {
  const uid_t own = geteuid();
  Result<std::string> map = read_file_at(AT_FDCWD, "/proc/self/uid_map", 64 * 1024);
  if (!map.ok()) return own;
  for (const char* line = map->c_str(); line && *line; line = strchr(line, '\n')) {
    if (*line == '\n' && !*++line) break;
    unsigned inside = 0, outside = 0, count = 0;
    if (sscanf(line, "%u %u %u", &inside, &outside, &count) != 3) break;
    if (own >= inside && own - inside < count) return outside + (own - inside);
  }
  return own;
}

std::vector<DbusConnection::Socket> sockets_of(bool user) {
  if (!user) return {{"/run/systemd/private", false}, {"/run/dbus/system_bus_socket", true}};
  std::vector<DbusConnection::Socket> sockets;
  if (const char* directory = getenv("XDG_RUNTIME_DIR"))
    sockets.push_back({std::string(directory) + "/systemd/private", false});
  if (const char* address = getenv("DBUS_SESSION_BUS_ADDRESS")) {
    std::string_view rest = address;
    constexpr std::string_view kUnix = "unix:path=";
    if (rest.starts_with(kUnix)) {
      rest.remove_prefix(kUnix.size());
      sockets.push_back({std::string(rest.substr(0, rest.find_first_of(",;"))), true});
    }
  }
  if (const char* directory = getenv("XDG_RUNTIME_DIR"))
    sockets.push_back({std::string(directory) + "/bus", true});
  return sockets;
}

bool is_error(const Error& error, const char* name) {
  return strstr(error.text(), name) != nullptr;
}

}  // namespace

std::string unknown_property(std::string_view error, const std::vector<DbusProperty>& properties) {
  // "Cannot set property AllowedCPUs, or unknown property.", PropertyReadOnly; "Unknown property ...".
  if (error.find("nknown property") == std::string_view::npos &&
      error.find("PropertyReadOnly") == std::string_view::npos)
    return "";
  for (const auto& [name, value] : properties) {
    const size_t at = error.find(name);
    if (at == std::string_view::npos) continue;
    const size_t end = at + name.size();
    if (end == error.size() || !isalnum(static_cast<unsigned char>(error[end]))) return name;
  }
  return "";
}

Result<SystemdManager> SystemdManager::connect(bool user) {
  SystemdManager manager(TRY(DbusConnection::connect(sockets_of(user), outer_uid()).ctx("systemd")));
  if (!manager.bus_.is_bus()) return manager;
  // systemd's own socket sends all signals to all; a bus wants to be asked.
  DbusWriter match;
  match.string(
      "type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.systemd1.Manager',"
      "member='JobRemoved'");
  TRY(manager.bus_.send("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch",
                        "s", match));
  TRY(manager.bus_.send(kName, kPath, kInterface, "Subscribe", "", {}));
  return manager;
}

Result<DbusMessage> SystemdManager::call(const char* member, const char* signature, const DbusWriter& body) {
  return bus_.call(kName, kPath, kInterface, member, signature, body).ctx("systemd: %s", member);
}

/// JobRemoved: u id, o job, s unit, s result.
Status SystemdManager::wait_job(const DbusMessage& reply, const std::string& unit) {
  DbusReader reader = reply.reader();
  const std::string job(reader.string());
  if (!reader.ok())
    return Error::of(ErrorKind::invalid, "systemd: unit `%s`: no job in the answer", unit.c_str());
  for (;;) {
    const DbusMessage removed = TRY(bus_.wait_signal(kInterface, "JobRemoved", kJobTimeout)
                                        .ctx("systemd: job of unit `%s`", unit.c_str()));
    DbusReader fields = removed.reader();
    fields.u32();
    const std::string_view its_job = fields.string();
    fields.string();
    const std::string result(fields.string());
    if (!fields.ok() || its_job != job) continue;
    if (result == "done" || result == "skipped") return {};
    return Error::of(ErrorKind::failed, "systemd: job of unit `%s`: %s", unit.c_str(), result.c_str());
  }
}

Status SystemdManager::try_start(const std::string& name, const std::vector<DbusProperty>& properties) {
  DbusWriter body;
  body.string(name);
  body.string("replace");
  body.properties(properties);
  body.end_array(body.begin_array(8));  // auxiliary units
  const DbusMessage reply =
      TRY(call("StartTransientUnit", "ssa(sv)a(sa(sv))", body).ctx("unit `%s`", name.c_str()));
  return wait_job(reply, name);
}

void SystemdManager::forget(const std::string& name) {
  DbusWriter body;
  body.string(name);
  Result<DbusMessage> ignored = call("ResetFailedUnit", "s", body);
  (void)ignored;
}

Status SystemdManager::start_unit(const std::string& name, std::vector<DbusProperty> properties,
                                  std::vector<std::string>& dropped) {
  bool reset = false;
  for (;;) {
    Status started = try_start(name, properties);
    if (started.ok()) return started;
    if (!reset && is_error(started.error(), "org.freedesktop.systemd1.UnitExists")) {
      reset = true;
      forget(name);
      continue;
    }
    const std::string unknown = unknown_property(started.error().text(), properties);
    if (unknown.empty()) return started;
    std::erase_if(properties, [&](const DbusProperty& property) { return property.first == unknown; });
    dropped.push_back(unknown);
  }
}

Status SystemdManager::stop_unit(const std::string& name) {
  DbusWriter body;
  body.string(name);
  body.string("replace");
  Result<DbusMessage> reply = call("StopUnit", "ss", body);
  Status stopped;
  if (reply.ok())
    stopped = wait_job(*reply, name);
  else if (!is_error(reply.error(), "NoSuchUnit"))
    stopped = std::move(reply).error();
  forget(name);
  return stopped;
}

Status SystemdManager::set_properties(const std::string& name, std::vector<DbusProperty> properties) {
  while (!properties.empty()) {
    DbusWriter body;
    body.string(name);
    body.boolean(true);
    body.properties(properties);
    Result<DbusMessage> reply = call("SetUnitProperties", "sba(sv)", body).ctx("unit `%s`", name.c_str());
    if (reply.ok()) return {};
    const std::string unknown = unknown_property(reply.error().text(), properties);
    if (unknown.empty()) return std::move(reply).error();
    std::erase_if(properties, [&](const DbusProperty& property) { return property.first == unknown; });
  }
  return {};
}

Result<std::string> SystemdManager::control_group() {
  DbusWriter body;
  body.string(kInterface);
  body.string("ControlGroup");
  const DbusMessage reply =
      TRY(bus_.call(kName, kPath, "org.freedesktop.DBus.Properties", "Get", "ss", body).ctx("systemd"));
  DbusReader reader = reply.reader();
  if (reader.signature() != "s") return Error::of(ErrorKind::invalid, "systemd: ControlGroup is no string");
  std::string path(reader.string());
  return path == "/" ? std::string() : path;
}

}  // namespace slipway::sys
