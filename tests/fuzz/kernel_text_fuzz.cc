// What the kernel and systemd tell: /proc files about cgroups, a v1 devices.list, messages of D-Bus. A container, or
// a process that names its directories freely, has a say in some of them.
#include <stdlib.h>

#include <string>

#include "src/runtime/cgroup_devices.h"
#include "src/sys/cgroup.h"
#include "src/sys/dbus.h"

using namespace slipway;

namespace {

void cgroup_files(std::string_view text) {
  auto memberships = sys::parse_memberships(text);
  if (memberships.ok())
    for (const sys::CgroupMembership& line : *memberships)
      if (line.path.empty() || line.path[0] != '/') abort();
  for (const sys::CgroupMount& mount : sys::parse_cgroup_mounts(text))
    if (mount.directory.empty()) abort();
}

/// The lines that lead from a table to another do so.
void devices(std::string_view text) {
  auto table = runtime::DeviceTable::parse(text);
  if (!table.ok()) return;
  auto nothing = runtime::DeviceTable::parse("");
  if (!nothing.ok()) abort();
  std::string lines;
  for (const auto& [file, line] : nothing->way_to(*table)) {
    if (line.empty()) abort();
    if (std::string_view(file) == "devices.allow") lines += line + "\n";
  }
  if (table->allow_all()) return;  // "a", and what is denied of it
  auto again = runtime::DeviceTable::parse(lines);
  if (!again.ok() || again->exceptions() != table->exceptions()) abort();
}

void dbus(std::string_view data) {
  (void)sys::dbus_message_size(data.substr(0, 16));
  auto message = sys::parse_dbus_message(data);
  if (!message.ok()) return;
  sys::DbusReader reader = message->reader();
  while (reader.ok() && !reader.at_end()) {
    const size_t before = reader.at();
    (void)reader.string();
    if (reader.ok() && reader.at() <= before) abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  cgroup_files(text);
  devices(text);
  dbus(text);
  return 0;
}
