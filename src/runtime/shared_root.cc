#include "src/runtime/shared_root.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>

#include "src/sys/file.h"
#include "src/sys/kernel.h"
#include "src/sys/mountinfo.h"

namespace slipway::runtime {

namespace {

constexpr size_t kMountinfoLimit = 64U << 20;

/// "ID PARENT ..." are the lines of the table. 0: there is no such mount in this namespace.
uint64_t parent_of(uint64_t mount) {
  auto table = sys::read_file_at(AT_FDCWD, "/proc/self/mountinfo", kMountinfoLimit);
  if (!table.ok()) return 0;
  const std::string start = "\n" + std::to_string(mount) + " ";
  const size_t at = ("\n" + *table).find(start);
  return at == std::string::npos ? 0 : strtoull(table->c_str() + at + start.size() - 1, nullptr, 10);
}

}  // namespace

BareRoot BareRoot::at(const std::string& path) {
  struct stat info = {};
  BareRoot bare;
  if (stat(path.c_str(), &info) < 0) return bare;
  bare.path = path;
  bare.mount = sys::mount_at_path(path);
  bare.device = info.st_dev;
  bare.inode = info.st_ino;
  return bare;
}

uint64_t find_shared_root(const BareRoot& bare) {
  if (bare.path.empty() || !bare.mount) return 0;
  const BareRoot now = BareRoot::at(bare.path);
  if (now.mount == bare.mount || now.device != bare.device || now.inode != bare.inode) return 0;
  // Ids are unique in all namespaces, and a mount that has gone is nobody's parent: so it is not what someone else
  // has mounted there since.
  return parent_of(now.mount) == bare.mount ? now.mount : 0;
}

void unmount_shared_root(const std::string& path, uint64_t mount) {
  if (mount && sys::mount_at_path(path) == mount) sys::umount2(path.c_str(), MNT_DETACH);
}

}  // namespace slipway::runtime
