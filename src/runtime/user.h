// Users by name, in the passwd and group files of an image: "alice", "1000:staff", ":50".
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "oci/spec.h"
#include "src/base/arena.h"
#include "src/base/result.h"

namespace slipway::runtime {

/// See resolve_user() in runtime.h; `passwd` and `group` are the files' texts.
Result<oci::User> find_user(std::string_view text, std::string_view passwd, std::string_view group,
                            const oci::User& base, Arena& arena);
/// A group's id by number or name.
Result<uint32_t> find_group(std::string_view text, std::string_view group);

/// The host's name of a user, for State::owner; the number where it has none.
std::string owner_name(uid_t uid);

}  // namespace slipway::runtime
