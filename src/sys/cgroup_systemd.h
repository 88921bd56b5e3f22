// systemd's manager object (org.freedesktop.systemd1): units made, changed and ended over D-Bus.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/sys/dbus.h"

namespace slipway::sys {

class SystemdManager {
 public:
  /// The system's manager, or with `user` that of the caller.
  static Result<SystemdManager> connect(bool user);

  /// Starts a transient unit and waits until systemd has done it. A unit of this name that has failed before
  /// is forgotten first. Properties that this systemd does not know are left out: `dropped` gets their names.
  Status start_unit(const std::string& name, std::vector<DbusProperty> properties,
                    std::vector<std::string>& dropped);
  /// Stops a unit and waits for it; one that is not there is no error.
  Status stop_unit(const std::string& name);
  /// For the time until the next boot.
  Status set_properties(const std::string& name, std::vector<DbusProperty> properties);
  /// The cgroup that all of the manager's units are below: "" or "/user.slice/.../user@1000.service".
  Result<std::string> control_group();

 private:
  explicit SystemdManager(DbusConnection bus) : bus_(std::move(bus)) {}
  Result<DbusMessage> call(const char* member, const char* signature, const DbusWriter& body);
  Status wait_job(const DbusMessage& reply, const std::string& unit);
  Status try_start(const std::string& name, const std::vector<DbusProperty>& properties);
  void forget(const std::string& name);

  DbusConnection bus_;
};

/// The name that "Unknown property X" of systemd, in whatever words, is about; "" for another error. Pure.
std::string unknown_property(std::string_view error, const std::vector<DbusProperty>& properties);

}  // namespace slipway::sys
