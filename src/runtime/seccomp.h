// The seccomp program of a container: from its profile (config.md, linux.seccomp), compiled once per machine.
#pragma once

#include <string>

#include "oci/spec.h"
#include "src/base/result.h"
#include "src/runtime/plan.h"
#include "src/sys/seccomp.h"

namespace slipway::runtime {

/// The program for a profile that validate_spec() accepts: from the cache in `root`/.seccomp, or compiled and
/// put there. The cache is used only if it is a directory of the caller's that nobody else may write; each
/// entry holds the whole profile, which must equal the wanted one, so a hash that collides costs time, not
/// safety. An unusable cache is no error: the program is compiled then.
Result<sys::SeccompProgram> seccomp_program(const oci::Seccomp& seccomp, const std::string& root);

/// An error for a system call that is unknown here; else its rules are left out.
Status check_seccomp_calls(const oci::Seccomp& seccomp);

/// What the child loads; points into the program.
SeccompPlan seccomp_plan(const sys::SeccompProgram& program);

}  // namespace slipway::runtime
