// File system mounts. A directory is resolved to a descriptor below the root, made the working directory, and
// mounted on as ".": nobody can exchange it in between (CVE-2021-30465), and it is one system call where
// fsopen, fsconfig, fsmount and move_mount are six. Those serve where something has to be done to the mount
// before it is seen: an idmap.
#include <sys/stat.h>

#include <cstring>

#include "src/base/fd.h"
#include "src/runtime/child_tree.h"
#include "src/sys/kernel.h"
#include "src/sys/path_walk.h"

namespace slipway::runtime::child {
namespace {

constexpr size_t kPage = 4096;

Outcome mount_failed(const PlannedMount& mount) {
  return failed("mount", mount.type, mount.destination);
}

/// Where to mount; makes what is missing. *made: the directory was not there.
Outcome open_destination(int root, const PlannedMount& mount, Fd& where, bool& made) {
  const unsigned how = sys::kWalkMakeDirectories | (mount.real_directory ? sys::kWalkNoSymlinks : 0u) |
                       (mount.destination_nofollow ? sys::kWalkNoFollow : 0u);
  where = Fd(sys::walk_in_root(root, mount.destination, O_PATH | O_DIRECTORY, how, &made));
  if (where) return kDone;
  if (mount.real_directory && (errno == ELOOP || errno == ENOTDIR))
    return {"mount", mount.type,        mount.destination, "must be mounted on ordinary directory",
            0,       ErrorKind::invalid};
  return mount_failed(mount);
}

/// "DATA,mode=1755" with the mode of the directory that will be covered.
Outcome data_with_mode(const PlannedMount& mount, int where, char (&data)[kPage]) {
  struct stat info = {};
  if (fstat(where, &info) < 0) return mount_failed(mount);
  const size_t length = strlen(mount.data);  // less than a page: the plan has checked it
  if (length + sizeof ",mode=7777" > sizeof data) {
    errno = E2BIG;
    return mount_failed(mount);
  }
  memcpy(data, mount.data, length);
  char* at = data + length;
  if (length) *at++ = ',';
  memcpy(at, "mode=", 5);
  at += 5;
  for (int shift = 9; shift >= 0; shift -= 3) *at++ = static_cast<char>('0' + (info.st_mode >> shift & 7));
  *at = '\0';
  return kDone;
}

/// Each "key" or "key=value" of the data, and the flags that belong to the file system.
int configure(int context, const PlannedMount& mount, const char* options) {
  struct Flag {
    unsigned long flag;
    const char* name;
  };
  constexpr Flag kFlags[] = {{MS_RDONLY, "ro"},
                             {MS_SYNCHRONOUS, "sync"},
                             {MS_DIRSYNC, "dirsync"},
                             {MS_LAZYTIME, "lazytime"},
                             {MS_MANDLOCK, "mand"}};
  if (sys::fsconfig(context, FSCONFIG_SET_STRING, "source", mount.source, 0) < 0) return -1;
  for (const Flag& flag : kFlags)
    if (mount.flags & flag.flag && sys::fsconfig(context, FSCONFIG_SET_FLAG, flag.name, nullptr, 0) < 0)
      return -1;
  char data[kPage];
  strcpy(data, options);
  for (char* option = data; *option;) {
    char* end = strchrnul(option, ',');
    char* next = *end ? end + 1 : end;
    *end = '\0';
    char* value = strchr(option, '=');
    if (value) *value++ = '\0';
    if (sys::fsconfig(context, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, option, value, 0) < 0)
      return -1;
    option = next;
  }
  return sys::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
}

Outcome mount_idmapped(const PlannedMount& mount, int where, const char* data) {
  const Fd context(sys::fsopen(mount.type, FSOPEN_CLOEXEC));
  if (!context || configure(context.get(), mount, data) < 0) return mount_failed(mount);
  const Fd tree(sys::fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  if (!tree) return mount_failed(mount);
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_IDMAP | mount.attributes.set;
  attributes.attr_clr = mount.attributes.clear;
  attributes.userns_fd = static_cast<uint64_t>(mount.idmap);
  if (sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH, attributes) < 0)
    return failed("uidMappings, gidMappings: map the ids of", mount.type, mount.destination);
  if (sys::move_mount(tree.get(), "", where, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
    return mount_failed(mount);
  return kDone;
}

/// Mounts on the directory `where`. `refused` becomes true when the kernel refuses this file system here, and
/// something else may stand in.
Outcome mount_on(const PlannedMount& mount, int where, const char* data, bool& refused) {
  if (mount.idmap >= 0) return mount_idmapped(mount, where, data);
  if (fchdir(where) < 0) return mount_failed(mount);
  int status = sys::mount(mount.source, ".", mount.type, mount.flags, data);
  if (status < 0 && errno == EINVAL && *mount.data_retry)
    status = sys::mount(mount.source, ".", mount.type, mount.flags, mount.data_retry);
  if (status == 0) return kDone;
  refused = (errno == EPERM || errno == EBUSY) && *mount.bind_instead;
  return refused ? kDone : mount_failed(mount);
}

Outcome mount_filesystem(int root, const PlannedMount& mount) {
  Fd where;
  bool made = false;
  bool refused = false;
  STEP(open_destination(root, mount, where, made));
  char data[kPage];
  const bool inherit = mount.inherit_mode && !made;  // a new tmpfs has 1777
  if (inherit) STEP(data_with_mode(mount, where.get(), data));
  STEP(mount_on(mount, where.get(), inherit ? data : mount.data, refused));
  if (refused) return make_bind(root, mount, mount.bind_instead);
  if (!mount.copy_up && !mount.recursive.any() && mount.propagation.empty()) return kDone;
  // The path leads to the new mount now; `where` is what it covers.
  const Fd mounted(sys::walk_in_root(root, mount.destination, O_PATH | O_DIRECTORY, 0));
  if (!mounted) return mount_failed(mount);
  if (mount.copy_up && !made) STEP(copy_tree(where.get(), mounted.get(), mount.destination));
  return change_mount(mounted.get(), mount);
}

Outcome make_link(int root, const PlannedMount& mount) {
  const char* name;
  const Fd parent(sys::walk_to_parent(root, mount.destination, 0, &name));
  if (!parent || (symlinkat(mount.source, parent.get(), name) < 0 && errno != EEXIST))
    return failed("link", mount.destination);
  return kDone;
}

}  // namespace

FdPath::FdPath(int fd) {
  char digits[12];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + fd % 10);
  } while (fd /= 10);
  strcpy(text, "/proc/self/fd/");
  size_t at = strlen(text);
  while (count) text[at++] = digits[--count];
  text[at] = '\0';
}

Outcome change_mount(int fd, const PlannedMount& mount) {
  if (mount.recursive.any()) {
    mount_attr attributes = {};
    attributes.attr_set = mount.recursive.set;
    attributes.attr_clr = mount.recursive.clear;
    if (sys::mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, attributes) < 0)
      return failed("set recursive mount attributes of", mount.destination);
  }
  for (const unsigned long change : mount.propagation) {
    mount_attr attributes = {};
    attributes.propagation = change & ~static_cast<unsigned long>(MS_REC);
    if (sys::mount_setattr(fd, "", AT_EMPTY_PATH | (change & MS_REC ? AT_RECURSIVE : 0), attributes) == 0)
      continue;
    if (errno != ENOSYS || sys::mount(nullptr, FdPath(fd).text, nullptr, change, nullptr) < 0)
      return failed("set the propagation of", mount.destination);
  }
  return kDone;
}

Outcome make_mount(int root, const PlannedMount& mount) {
  switch (mount.kind) {
    case PlannedMount::Kind::bind:
      return make_bind(root, mount, mount.source);
    case PlannedMount::Kind::link:
      return make_link(root, mount);
    case PlannedMount::Kind::filesystem:
    case PlannedMount::Kind::cgroup2:
      break;
  }
  return mount_filesystem(root, mount);
}

}  // namespace slipway::runtime::child
