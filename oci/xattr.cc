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
    if (is_overlay_xattr(name)) continue;
    if (set(name.c_str(), value) == 0 || errno == EOPNOTSUPP || errno == EPERM) continue;
    return Error::sys(errno, "set attribute `%s`", name.c_str());
  }
  return {};
}

template <class ListNames, class Get>
Result<Xattrs> get_all(ListNames list, Get get) {
  std::string names;
  ssize_t size = 0;
  do {
    size = list(nullptr, 0);
    if (size <= 0) break;
    names.resize(static_cast<size_t>(size));
    size = list(names.data(), names.size());
  } while (size < 0 && errno == ERANGE);
  if (size < 0 && errno != EOPNOTSUPP) return Error::sys(errno, "list attributes");
  Xattrs out;
  for (const char* at = names.data(); size > 0 && at < names.data() + size; at += strlen(at) + 1) {
    if (is_overlay_xattr(at)) continue;
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

}  // namespace

bool is_overlay_xattr(std::string_view name) {
  return name.starts_with("trusted.overlay.") || name.starts_with("user.overlay.");
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
