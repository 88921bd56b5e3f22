// A container's limits and annotations as properties of a systemd unit. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oci/spec.h"
#include "src/base/result.h"
#include "src/sys/dbus.h"

namespace slipway::runtime {

/// The limits that systemd has properties for; the others are written to control files only. systemd must know
/// them, else it puts back its own at the next daemon-reload. Errors name the property of config.json.
Result<std::vector<sys::DbusProperty>> resource_properties(const oci::Resources& resources, bool v2);

/// DevicePolicy and DeviceAllow, for the system's manager. systemd needs them because it has a device filter of its
/// own: on v1 it would allow everything again at the next daemon-reload. It knows no order of rules and no
/// exceptions; where they matter it is told to allow more, and the container's own filter (v2) says no.
Result<std::vector<sys::DbusProperty>> device_properties(const List<oci::DeviceRule>& rules);

/// The annotations org.systemd.property.NAME, with values in GVariant's text format ("uint64 10",
/// "['a.service']", "'x'", "true"). NAMESec, a number of seconds, becomes NAMEUSec, as D-Bus has it.
Result<std::vector<sys::DbusProperty>> annotation_properties(const Map<Str>& annotations);

/// One value in GVariant text format.
Result<sys::DbusValue> parse_gvariant(std::string_view text);

/// "0-2,7" as the bytes of a bit mask, the lowest first: what AllowedCPUs is. invalid: no such list.
Result<std::vector<uint8_t>> cpu_mask(std::string_view list);

}  // namespace slipway::runtime
