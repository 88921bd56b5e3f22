// linux.intelRdt: cache and memory bandwidth of a container, by the kernel's resctrl file system.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "oci/spec.h"
#include "src/base/result.h"

namespace slipway::runtime {

/// Puts the process into the class of service, which is made if it does not exist, and sets its schemata. Returns the
/// directories that were made and are to be removed with the container: "", or paths joined by newlines.
/// unsupported: no resctrl is mounted.
Result<std::string> join_intel_rdt(const oci::IntelRdt& rdt, std::string_view id, pid_t pid);
/// Removes what join_intel_rdt() made. Missing ones are no error.
Status leave_intel_rdt(std::string_view made);

}  // namespace slipway::runtime
