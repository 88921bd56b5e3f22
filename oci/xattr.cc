#include "oci/xattr.h"

#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace slipway::oci {

using sys::Xattrs;

namespace {

template <class Set>
Status set_all(const Xattrs& xattrs, Set set) {
  for (const auto& [name, value] : xattrs) {
    if (is_private_xattr(name)) continue;
    if (set(name.c_str(), value) == 0 || errno == EOPNOTSUPP || errno == EPERM) continue;
    return Error::sys(errno, "set attribute `%s`", name.c_str());
  }
  return {};
}

template <class Remove>
Status remove_others(const Xattrs& wanted, const std::string& names, Remove remove) {
  for (const char* at = names.data(); at < names.data() + names.size(); at += strlen(at) + 1) {
    if (is_private_xattr(at)) continue;
    if (std::any_of(wanted.begin(), wanted.end(), [&](const auto& xattr) { return xattr.first == at; }))
      continue;
    if (remove(at) == 0 || errno == ENODATA || errno == EOPNOTSUPP || errno == EPERM) continue;
    return Error::sys(errno, "remove attribute `%s`", at);
  }
  return {};
}

}  // namespace

bool is_private_xattr(std::string_view name) {
  return name.starts_with("trusted.overlay.") || name.starts_with("user.overlay.") ||
         name.starts_with("trusted.SGI_ACL_") || name == "security.selinux" ||
         name.starts_with("security.SMACK64") || name == "security.evm";
}

Status set_xattrs(int fd, const Xattrs& xattrs) {
  return set_all(xattrs, [&](const char* name, const std::string& value) {
    return fsetxattr(fd, name, value.data(), value.size(), 0);
  });
}

Status set_xattrs_at(int dir, const char* entry, const Xattrs& xattrs) {
  if (xattrs.empty()) return {};
  const std::string path = sys::proc_path(dir, entry);
  return set_all(xattrs, [&](const char* name, const std::string& value) {
    return lsetxattr(path.c_str(), name, value.data(), value.size(), 0);
  });
}

Status remove_other_xattrs(int fd, const Xattrs& wanted) {
  return remove_others(wanted, TRY(sys::list_xattrs(fd)),
                       [&](const char* name) { return fremovexattr(fd, name); });
}

Status remove_other_xattrs_at(int dir, const char* entry, const Xattrs& wanted) {
  const std::string path = sys::proc_path(dir, entry);
  return remove_others(wanted, TRY(sys::list_xattrs_at(dir, entry)),
                       [&](const char* name) { return lremovexattr(path.c_str(), name); });
}

Result<Xattrs> get_xattrs(int fd) {
  return sys::read_xattrs(fd, is_private_xattr);
}

Result<Xattrs> get_xattrs_at(int dir, const char* entry) {
  return sys::read_xattrs_at(dir, entry, is_private_xattr);
}

}  // namespace slipway::oci
