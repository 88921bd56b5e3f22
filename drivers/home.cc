#include "drivers/home.h"

#include <fcntl.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstdio>

#include "src/sys/file.h"

namespace slipway::drivers {
namespace {

struct Magic {
  uint64_t magic;
  const char* name;
};
// linux/magic.h, and what is not in it.
constexpr Magic kMagics[] = {
    {0xef53, "extfs"},       {0x58465342, "xfs"},  {0x9123683e, "btrfs"}, {0x01021994, "tmpfs"},
    {0x794c7630, "overlay"}, {0x6969, "nfs"},      {0x2fc12fc1, "zfs"},   {0x65735546, "fuse"},
    {0x61756673, "aufs"},    {0xf15f, "ecryptfs"}, {0xf2f52010, "f2fs"},  {0xca451a4e, "bcachefs"},
    {0x01021997, "v9fs"},    {0xff534d42, "cifs"}, {0xfe534d42, "smb2"},  {0x00c36400, "ceph"},
    {0x858458f6, "ramfs"},   {0x3153464a, "jfs"},  {0x7461636f, "ocfs2"}, {0x01161970, "gfs2"},
};

}  // namespace

Result<Fd> Home::make_directory(const char* name, mode_t mode) const {
  if (mkdirat(dir.get(), name, mode) < 0) {
    if (errno != EEXIST) return Error::sys(errno, "mkdir `%s/%s`", path.c_str(), name);
  } else if (fchmodat(dir.get(), name, mode, 0) < 0) {
    return Error::sys(errno, "chmod `%s/%s`", path.c_str(), name);
  }
  return sys::open_at(dir.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).ctx("`%s`", path.c_str());
}

Result<Home> open_home(const std::string& root, const char* driver) {
  if (root.empty() || root[0] != '/')
    return Error::of(ErrorKind::invalid, "`%s` is not an absolute path", root.c_str());
  Home home;
  home.path = root + "/" + driver;
  TRY(sys::make_directories(root, 0711));
  if (mkdir(home.path.c_str(), 0710) == 0) {
    home.fresh = true;
    if (chmod(home.path.c_str(), 0710) < 0) return Error::sys(errno, "chmod `%s`", home.path.c_str());
  } else if (errno != EEXIST) {
    return Error::sys(errno, "mkdir `%s`", home.path.c_str());
  }
  home.dir = TRY(sys::open_at(AT_FDCWD, home.path.c_str(), O_RDONLY | O_DIRECTORY));
  struct statfs info = {};
  if (fstatfs(home.dir.get(), &info) < 0) return Error::sys(errno, "statfs `%s`", home.path.c_str());
  home.magic = static_cast<uint64_t>(static_cast<uint32_t>(info.f_type));
  char number[24];
  snprintf(number, sizeof number, "0x%llx", static_cast<unsigned long long>(home.magic));
  home.filesystem = number;
  for (const Magic& known : kMagics)
    if (known.magic == home.magic) home.filesystem = known.name;
  return home;
}

bool in_user_namespace() {
  Result<std::string> map = sys::read_file_at(AT_FDCWD, "/proc/self/uid_map", 4096);
  unsigned long inside = 0, outside = 0, count = 0;
  return map.ok() && (sscanf(map->c_str(), "%lu %lu %lu", &inside, &outside, &count) != 3 || inside != 0 ||
                      outside != 0 || count != 4294967295UL);
}

}  // namespace slipway::drivers
