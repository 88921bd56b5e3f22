#include "drivers/entry.h"

#include <fcntl.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "src/sys/file.h"
#include "src/sys/kernel.h"

namespace slipway::drivers {
namespace {

bool is_foreign(std::string_view name) {
  return name.starts_with("trusted.overlay.") || name.starts_with("user.overlay.") ||
         name.starts_with("trusted.SGI_ACL_") || name == "security.selinux";
}

Result<std::string> link_target(int dir, const char* name) {
  char target[4096];
  const ssize_t length = readlinkat(dir, name, target, sizeof target);
  if (length < 0) return Error::sys(errno, "read link `%s`", name);
  return std::string(target, static_cast<size_t>(length));
}

}  // namespace

Result<Attributes> read_attributes(int dir, const char* name) {
  return sys::read_xattrs_at(dir, name, is_foreign).ctx("`%s`", name);
}

Status write_attributes(int dir, const char* name, const Attributes& attributes) {
  if (attributes.empty()) return {};
  const std::string path = sys::proc_path(dir, name);
  for (const auto& [attribute, value] : attributes)
    if (lsetxattr(path.c_str(), attribute.c_str(), value.data(), value.size(), 0) < 0 && errno != ENOTSUP)
      return Error::sys(errno, "set attribute %s of `%s`", attribute.c_str(), name);
  return {};
}

std::string read_attribute(int dir, const char* name, const char* attribute) {
  char value[256];
  const ssize_t length = lgetxattr(sys::proc_path(dir, name).c_str(), attribute, value, sizeof value);
  return length > 0 ? std::string(value, static_cast<size_t>(length)) : std::string();
}

bool has_attribute(int dir, const char* name, const char* attribute) {
  return lgetxattr(sys::proc_path(dir, name).c_str(), attribute, nullptr, 0) >= 0;
}

bool same_stat(const struct stat& one, const struct stat& other) {
  if (one.st_mode != other.st_mode || one.st_uid != other.st_uid || one.st_gid != other.st_gid) return false;
  if (S_ISCHR(one.st_mode) || S_ISBLK(one.st_mode))
    if (one.st_rdev != other.st_rdev) return false;
  if (S_ISDIR(one.st_mode)) return true;
  const timespec& a = one.st_mtim;
  const timespec& b = other.st_mtim;
  if (a.tv_sec != b.tv_sec) return false;
  if (a.tv_nsec != b.tv_nsec && a.tv_nsec != 0 && b.tv_nsec != 0) return false;
  return one.st_size == other.st_size;
}

Result<bool> same_details(int one_dir, int other_dir, const char* name, const struct stat& info) {
  if (S_ISLNK(info.st_mode))
    if (TRY(link_target(one_dir, name)) != TRY(link_target(other_dir, name))) return false;
  return TRY(read_attributes(one_dir, name)) == TRY(read_attributes(other_dir, name));
}

Result<bool> same_bytes(int one_dir, int other_dir, const char* name) {
  const Fd one = TRY(sys::open_at(one_dir, name, O_RDONLY | O_NOFOLLOW));
  const Fd other = TRY(sys::open_at(other_dir, name, O_RDONLY | O_NOFOLLOW));
  std::string left(1 << 16, 0), right(1 << 16, 0);
  for (off_t at = 0;;) {
    const ssize_t got = pread(one.get(), left.data(), left.size(), at);
    if (got < 0) return Error::sys(errno, "read `%s`", name);
    // Short reads of regular files happen only at the end.
    const ssize_t same = pread(other.get(), right.data(), right.size(), at);
    if (same < 0) return Error::sys(errno, "read `%s`", name);
    if (got != same || memcmp(left.data(), right.data(), static_cast<size_t>(got)) != 0) return false;
    if (got == 0) return true;
    at += got;
  }
}

Result<Fd> open_below(int root, const std::string& path) {
  const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  Fd fd(sys::openat2(root, path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY, resolve));
  if (!fd) return Error::sys(errno, "open directory `/%s`", path.c_str());
  return fd;
}

}  // namespace slipway::drivers
