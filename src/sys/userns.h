// The uid and gid maps of a user namespace.
#pragma once

#include <sys/types.h>

#include <span>
#include <vector>

#include "src/base/result.h"
#include "src/sys/mount_spec.h"

namespace slipway::sys {

/// Writes both maps of the user namespace that `pid`, a child of the caller, has been cloned into. Without the
/// rights for it newuidmap and newgidmap are run (shadow's setuid programs, which ask /etc/subuid and /etc/subgid),
/// unless the map is of the caller's own id only: that one anybody may write, with setgroups denied.
Status write_id_maps(pid_t pid, std::span<const IdRange> uids, std::span<const IdRange> gids);

struct IdMaps {
  std::vector<IdRange> uids, gids;
};
/// The maps of the user namespace that `ns` is, in the words of the caller; of the caller's own one in those of its
/// parent.
Result<IdMaps> read_id_maps(int ns);

/// What the caller calls the user that is `uid` in the user namespace of `pid`. An error when it is not mapped.
Result<uid_t> outer_uid(pid_t pid, uid_t uid);

}  // namespace slipway::sys
