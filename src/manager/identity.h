// Who a container's program runs as: USER[:GROUP] by the files of the container's own root file system.
#pragma once

#include "oci/spec.h"
#include "src/base/result.h"

namespace slipway::manager {

struct Identity {
  oci::User user;
  Str home;  // "" when /etc/passwd does not know the user
};

/// `root` is the container's root directory. The files are opened in that root, must be regular, and are read
/// up to a limit: the image is not trusted. Errors: invalid "unable to find user X: no matching entries in
/// passwd file", "unable to find group ...".
Result<Identity> find_identity(int root, std::string_view user, const List<Str>& extra_groups, Arena& arena);

}  // namespace slipway::manager
