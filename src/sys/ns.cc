#include "src/sys/ns.h"

#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cstdio>

#include "src/sys/file.h"
#include "src/sys/kernel.h"

namespace slipway::sys {

const NamespaceType kNamespaces[kNamespaceTypes] = {
    {"user", "user", CLONE_NEWUSER}, {"cgroup", "cgroup", CLONE_NEWCGROUP}, {"ipc", "ipc", CLONE_NEWIPC},
    {"uts", "uts", CLONE_NEWUTS},    {"network", "net", CLONE_NEWNET},      {"pid", "pid", CLONE_NEWPID},
    {"time", "time", CLONE_NEWTIME}, {"mount", "mnt", CLONE_NEWNS},
};

const NamespaceType* find_namespace(std::string_view name) {
  for (const NamespaceType& type : kNamespaces)
    if (name == type.name) return &type;
  return nullptr;
}

Result<Fd> open_namespace(const char* path, const NamespaceType& type) {
  Fd fd = TRY(open_at(AT_FDCWD, path, O_RDONLY).ctx("join the %s namespace", type.name));
  struct statfs fs;
  if (fstatfs(fd.get(), &fs) < 0) return Error::sys(errno, "statfs `%s`", path);
  if (fs.f_type != NSFS_MAGIC)
    return Error::of(ErrorKind::invalid, "join the %s namespace: `%s` is not a namespace", type.name, path);
  const int flag = ioctl(fd.get(), NS_GET_NSTYPE);  // 4.11
  if (flag >= 0 && static_cast<uint64_t>(flag) != type.flag)
    return Error::of(ErrorKind::invalid, "join the %s namespace: `%s` is a namespace of another type",
                     type.name, path);
  return fd;
}

bool is_own_namespace(int fd, const NamespaceType& type) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/ns/%s", type.file);
  struct stat own;
  struct stat other;
  return stat(path, &own) == 0 && fstat(fd, &other) == 0 && own.st_dev == other.st_dev &&
         own.st_ino == other.st_ino;
}

}  // namespace slipway::sys
