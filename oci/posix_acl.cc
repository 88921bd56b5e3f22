#include "oci/posix_acl.h"

#include <endian.h>

#include <algorithm>
#include <tuple>

namespace slipway::oci {

namespace {

constexpr uint32_t kVersion = 2;  // POSIX_ACL_XATTR_VERSION

template <class T>
void append(std::string& out, T little_endian) {
  out.append(reinterpret_cast<const char*>(&little_endian), sizeof little_endian);
}

bool in_mask_class(AclTag tag) {
  return tag == AclTag::user || tag == AclTag::group_owner || tag == AclTag::group;
}

}  // namespace

std::string encode_posix_acl(std::vector<AclEntry> entries) {
  bool named = false, masked = false;
  uint16_t mask = 0;
  for (const AclEntry& entry : entries) {
    named = named || entry.tag == AclTag::user || entry.tag == AclTag::group;
    masked = masked || entry.tag == AclTag::mask;
    if (in_mask_class(entry.tag)) mask |= entry.permissions;
  }
  if (named && !masked) entries.push_back({AclTag::mask, mask});
  std::sort(entries.begin(), entries.end(), [](const AclEntry& a, const AclEntry& b) {
    return std::tie(a.tag, a.id) < std::tie(b.tag, b.id);
  });
  std::string out;
  append(out, htole32(kVersion));
  for (const AclEntry& entry : entries) {
    append(out, htole16(static_cast<uint16_t>(entry.tag)));
    append(out, htole16(entry.permissions));
    append(out, htole32(entry.id));
  }
  return out;
}

}  // namespace slipway::oci
