// User namespaces that exist only to say how an idmapped mount maps ids (mount_setattr(2), 5.12).
#pragma once

#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/mount_spec.h"

namespace slipway::sys {

/// A user namespace with these maps and without processes, for MOUNT_ATTR_IDMAP. Needs CAP_SETUID and
/// CAP_SETGID over the ids outside.
Result<Fd> make_idmap(const std::vector<IdRange>& uids, const std::vector<IdRange>& gids);

}  // namespace slipway::sys
