#include "drivers/overlay_probe.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "drivers/staging.h"
#include "src/sys/directory.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"

namespace slipway::drivers {
namespace {

// What the kernel wrote into the file system context: "e overlay: ..." lines.
std::string reason_of(int context, int err) {
  char line[256];
  const ssize_t length = read(context, line, sizeof line - 1);
  if (length <= 2) return strerror(err);
  line[length] = 0;
  return std::string(line + 2, static_cast<size_t>(length - 2 - (line[length - 1] == '\n')));
}

Result<Fd> overlay_context() {
  Fd context(sys::fsopen("overlay", FSOPEN_CLOEXEC));
  if (context) return context;
  if (errno == ENODEV) return Error::of(ErrorKind::unsupported, "this kernel has no overlay file system");
  if (errno == EPERM)
    return Error::of(ErrorKind::unsupported, "mounting overlay takes root or a user namespace");
  return Error::sys(errno, "open a context for overlay");
}

bool has_types(int dir) {
  sys::DirectoryReader reader(dir);
  bool known = true;
  while (const dirent64* at = reader.next()) known = known && at->d_type != DT_UNKNOWN;
  return known;
}

Status try_mount(const Home& home, int place, bool user_xattr) {
  const Fd context = TRY(overlay_context());
  Fd parts[4];
  constexpr const char* kNames[4] = {"lower1", "lower2", "upper", "work"};
  for (int i = 0; i < 4; ++i) {
    if (mkdirat(place, kNames[i], 0700) < 0) return Error::sys(errno, "mkdir `%s`", kNames[i]);
    parts[i] = TRY(sys::open_at(place, kNames[i], O_PATH | O_DIRECTORY));
  }
  if (!has_types(place))
    return Error::of(ErrorKind::unsupported,
                     "the file system of `%s` (%s) gives no file types in directories (xfs: ftype=0)",
                     home.path.c_str(), home.filesystem.c_str());
  const auto path = [](const Fd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); };
  const auto set = [&](const char* key, const std::string& value) {
    return sys::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0;
  };
  const bool good =
      set("lowerdir", path(parts[0]) + ":" + path(parts[1])) && set("upperdir", path(parts[2])) &&
      set("workdir", path(parts[3])) &&
      (!user_xattr || sys::fsconfig(context.get(), FSCONFIG_SET_FLAG, "userxattr", nullptr, 0) == 0) &&
      sys::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0;
  if (!good)
    return Error::of(ErrorKind::unsupported, "overlay does not work on `%s` (%s): %s", home.path.c_str(),
                     home.filesystem.c_str(), reason_of(context.get(), errno).c_str());
  const Fd mounted(sys::fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  if (!mounted) return Error::sys(errno, "mount overlay");
  return {};
}

}  // namespace

Status probe_overlay(const Home& home, bool user_xattr) {
  if (home.filesystem == "overlay" || home.filesystem == "nfs" || home.filesystem == "ecryptfs" ||
      home.filesystem == "aufs")
    return Error::of(ErrorKind::unsupported, "the file system of `%s` is %s, which overlay cannot write to",
                     home.path.c_str(), home.filesystem.c_str());
  const Staging staging = TRY(Staging::open(home.dir.get()));
  const StagedDir place = TRY(staging.make(0700));
  Status tried = try_mount(home, place.dir.get(), user_xattr);
  TRY(staging.remove(place.name));
  return tried;
}

bool overlay_has_lowerdir_plus() {
  const Fd context(sys::fsopen("overlay", FSOPEN_CLOEXEC));
  if (context) return sys::fsconfig(context.get(), FSCONFIG_SET_STRING, "lowerdir+", "/", 0) == 0;
  utsname name = {};
  int major = 0, minor = 0;
  return uname(&name) == 0 && sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
         (major > 6 || (major == 6 && minor >= 7));
}

bool overlay_has_option(const char* name) {
  const std::string path = std::string("/sys/module/overlay/parameters/") + name;
  return access(path.c_str(), F_OK) == 0;
}

}  // namespace slipway::drivers
