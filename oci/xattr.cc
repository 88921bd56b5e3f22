#include "oci/xattr.h"

#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace slipway::oci {

namespace {

using Xattrs = std::vector<std::pair<std::string, std::string>>;

/// There is no lsetxattrat before 6.13; the magic link of the directory gives the entry a path.
std::string proc_path(int dir, const char* name) {
  return "/proc/self/fd/" + std::to_string(dir) + "/" + name;
}

template <class Set>
Status set_all(const Xattrs& xattrs, Set set) {
  for (const auto& [name, value] : xattrs) {
    if (is_private_xattr(name)) continue;
    if (set(name.c_str(), value) == 0 || errno == EOPNOTSUPP || errno == EPERM) continue;
    return Error::sys(errno, "set attribute `%s`", name.c_str());
  }
  return {};
}

/// The names, each with its NUL. A file system without attributes has none.
template <class ListNames>
Result<std::string> list_names(ListNames list) {
  std::string names;
  for (;;) {
    const ssize_t size = list(names.data(), names.size());
    if (size < 0 && errno == EOPNOTSUPP) return std::string();
    if (size < 0 && errno != ERANGE) return Error::sys(errno, "list attributes");
    if (size >= 0 && static_cast<size_t>(size) <= names.size()) {
      names.resize(static_cast<size_t>(size));
      return names;
    }
    names.resize(size < 0 ? names.size() * 2 : static_cast<size_t>(size));
  }
}

template <class ListNames, class Get>
Result<Xattrs> get_all(ListNames list, Get get) {
  const std::string names = TRY(list_names(list));
  Xattrs out;
  for (const char* at = names.data(); at < names.data() + names.size(); at += strlen(at) + 1) {
    if (is_private_xattr(at)) continue;
    std::string value;
    ssize_t length = 0;
    do {
      length = get(at, nullptr, 0);
      if (length < 0) break;
      value.resize(static_cast<size_t>(length));
      length = get(at, value.data(), value.size());
    } while (length < 0 && errno == ERANGE);
    if (length < 0 && (errno == ENODATA || errno == EOPNOTSUPP)) continue;  // removed at this moment
    if (length < 0) return Error::sys(errno, "read attribute `%s`", at);
    value.resize(static_cast<size_t>(length));
    out.emplace_back(at, std::move(value));
  }
  std::sort(out.begin(), out.end());
  return out;
}

template <class ListNames, class Remove>
Status remove_others(const Xattrs& wanted, ListNames list, Remove remove) {
  const std::string names = TRY(list_names(list));
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
         name == "security.selinux" || name.starts_with("security.SMACK64") || name == "security.evm";
}

Status set_xattrs(int fd, const Xattrs& xattrs) {
  return set_all(xattrs, [&](const char* name, const std::string& value) {
    return fsetxattr(fd, name, value.data(), value.size(), 0);
  });
}

Status set_xattrs_at(int dir, const char* entry, const Xattrs& xattrs) {
  if (xattrs.empty()) return {};
  const std::string path = proc_path(dir, entry);
  return set_all(xattrs, [&](const char* name, const std::string& value) {
    return lsetxattr(path.c_str(), name, value.data(), value.size(), 0);
  });
}

Status remove_other_xattrs(int fd, const Xattrs& wanted) {
  return remove_others(
      wanted, [&](char* out, size_t size) { return flistxattr(fd, out, size); },
      [&](const char* name) { return fremovexattr(fd, name); });
}

Status remove_other_xattrs_at(int dir, const char* entry, const Xattrs& wanted) {
  const std::string path = proc_path(dir, entry);
  return remove_others(
      wanted, [&](char* out, size_t size) { return llistxattr(path.c_str(), out, size); },
      [&](const char* name) { return lremovexattr(path.c_str(), name); });
}

Result<Xattrs> get_xattrs(int fd) {
  return get_all([&](char* out, size_t size) { return flistxattr(fd, out, size); },
                 [&](const char* name, void* out, size_t size) { return fgetxattr(fd, name, out, size); });
}

Result<Xattrs> get_xattrs_at(int dir, const char* entry) {
  const std::string path = proc_path(dir, entry);
  return get_all(
      [&](char* out, size_t size) { return llistxattr(path.c_str(), out, size); },
      [&](const char* name, void* out, size_t size) { return lgetxattr(path.c_str(), name, out, size); });
}

}  // namespace slipway::oci
