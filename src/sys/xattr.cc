#include "src/sys/xattr.h"

#include <fcntl.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace slipway::sys {

namespace {

// What most entries have fits at once. More than the second the kernel does not give (XATTR_LIST_MAX, XATTR_SIZE_MAX).
constexpr size_t kUsualNames = 1024, kUsualValue = 256;
constexpr size_t kMost = 65536;

/// Calls `get` with a buffer that is large enough; -1 and errno as `get` leaves it.
template <class Get>
ssize_t get_whole(std::string& out, size_t usual, Get get) {
  out.resize(usual);
  ssize_t size = get(out.data(), out.size());
  if (size < 0 && errno == ERANGE) {
    out.resize(kMost);
    size = get(out.data(), out.size());
  }
  out.resize(size < 0 ? 0 : static_cast<size_t>(size));
  return size;
}

template <class ListNames>
Result<std::string> list_names(ListNames list) {
  std::string names;
  if (get_whole(names, kUsualNames, list) < 0 && errno != EOPNOTSUPP)
    return Error::sys(errno, "list attributes");
  return names;
}

template <class Get>
Result<Xattrs> read_all(const std::string& names, bool (*left_out)(std::string_view), Get get) {
  Xattrs out;
  for (const char* at = names.data(); at < names.data() + names.size(); at += strlen(at) + 1) {
    if (left_out(at)) continue;
    std::string value;
    if (get_whole(value, kUsualValue, [&](void* to, size_t size) { return get(at, to, size); }) < 0) {
      if (errno == ENODATA || errno == EOPNOTSUPP) continue;  // removed at this moment
      return Error::sys(errno, "read attribute `%s`", at);
    }
    out.emplace_back(at, std::move(value));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

std::string proc_path(int dir, const char* name) {
  if (dir == AT_FDCWD) return name;
  return "/proc/self/fd/" + std::to_string(dir) + "/" + name;
}

Result<std::string> list_xattrs(int fd) {
  return list_names([&](char* out, size_t size) { return flistxattr(fd, out, size); });
}

Result<std::string> list_xattrs_at(int dir, const char* entry) {
  const std::string path = proc_path(dir, entry);
  return list_names([&](char* out, size_t size) { return llistxattr(path.c_str(), out, size); });
}

Result<Xattrs> read_xattrs(int fd, bool (*left_out)(std::string_view)) {
  return read_all(TRY(list_xattrs(fd)), left_out,
                  [&](const char* name, void* out, size_t size) { return fgetxattr(fd, name, out, size); });
}

Result<Xattrs> read_xattrs_at(int dir, const char* entry, bool (*left_out)(std::string_view)) {
  const std::string path = proc_path(dir, entry);
  return read_all(TRY(list_xattrs_at(dir, entry)), left_out, [&](const char* name, void* out, size_t size) {
    return lgetxattr(path.c_str(), name, out, size);
  });
}

}  // namespace slipway::sys
