// Plans a process of a container from its config.json.
#pragma once

#include "oci/spec.h"
#include "src/base/arena.h"
#include "src/base/result.h"
#include "src/runtime/plan.h"
#include "src/runtime/runtime.h"

namespace slipway::runtime {

/// Everything of the process but the seccomp filter. `process` has passed validate_process(). Opens and changes
/// nothing. `linux_` is null for exec: personality and memory policy are init's only, execCPUAffinity is not for
/// init.
Result<ProcessPlan> plan_process(const oci::Process& process, const oci::Linux* linux_,
                                 const ProcessOptions& options, Arena& arena);

/// "0-3,7" as a CPU set of kCpuSetSize bytes; invalid: it is no such list.
Result<const uint8_t*> parse_cpu_list(std::string_view text, Arena& arena);

/// The environment as execve gets it: of a variable that is there twice the last counts, in the first's place.
/// `extra` comes last and wins. With `home_slot` an entry is kept free when HOME is missing or empty.
char** plan_environment(const List<Str>& env, const List<Str>& extra, char*** home_slot, Arena& arena);

}  // namespace slipway::runtime
