// Containers of an ordinary user.
#pragma once

#include "oci/spec.h"

namespace slipway::cli {

/// An ordinary user's container has a user namespace, whether its bundle names one or not, as with crun. One without
/// maps gets these: root is the user, and from 1 on come the ids that /etc/subuid and /etc/subgid give them.
void add_user_namespace(oci::Spec& spec, Arena& arena);

}  // namespace slipway::cli
