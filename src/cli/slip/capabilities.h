// Capabilities that a process asks for and cannot get.
#pragma once

#include "oci/spec.h"
#include "src/base/arena.h"

namespace slipway::cli {

/// Whether all that `asked` names could be granted by this process to a container in its own user namespace.
bool may_grant(const oci::Capabilities& asked);

/// config.md, "Linux Process": what cannot be granted is a warning, not a failure. Takes out of the sets what this
/// process does not have itself, unless the container has a user namespace of its own, and what the kernel refuses
/// because it is missing in another set.
void leave_out_ungranted(oci::Process& process, bool own_user_namespace, Arena& arena,
                         oci::Warnings& warnings);

bool has_user_namespace(const oci::Spec& spec);

}  // namespace slipway::cli
