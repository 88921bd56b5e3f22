// POSIX ACLs as the kernel keeps them in system.posix_acl_access and system.posix_acl_default.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace slipway::oci {

/// The tags of linux/posix_acl.h, in the order that the kernel demands.
enum class AclTag : uint16_t { owner = 1, user = 2, group_owner = 4, group = 8, mask = 16, other = 32 };

struct AclEntry {
  AclTag tag = AclTag::other;
  uint16_t permissions = 0;  // 4 read, 2 write, 1 execute
  uint32_t id = 0xffffffff;  // user, group
};

/// Sorts the entries, and adds a mask where named entries need one, as acl_calc_mask(3) does.
std::string encode_posix_acl(std::vector<AclEntry> entries);

}  // namespace slipway::oci
