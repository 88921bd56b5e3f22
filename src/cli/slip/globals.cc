#include "src/cli/slip/globals.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/sys/file.h"

namespace slipway::cli {

namespace {

/// Whether user IDs are mapped: the initial user namespace maps all of them to themselves.
bool in_user_namespace() {
  Result<std::string> map = sys::read_file_at(AT_FDCWD, "/proc/self/uid_map", 4096);
  if (!map.ok()) return false;
  unsigned long inside = 0;
  unsigned long outside = 0;
  unsigned long size = 0;
  return sscanf(map->c_str(), "%lu %lu %lu", &inside, &outside, &size) != 3 || inside != 0 || outside != 0 ||
         size != 0xffffffff;
}

/// $XDG_RUNTIME_DIR is for ordinary users, and for the root of a user namespace who is not called root: podman calls
/// us so for its users, through conmon without USER.
bool uses_runtime_dir() {
  if (geteuid() != 0) return true;
  const char* user = getenv("USER");
  return (!user || std::string_view(user) != "root") && in_user_namespace();
}

/// /run/slip, or $XDG_RUNTIME_DIR/slip with the sticky bit, which keeps it from those who clean such
/// directories.
Result<std::string> default_root() {
  const char* runtime_dir = getenv("XDG_RUNTIME_DIR");
  if (!runtime_dir || runtime_dir[0] != '/' || !uses_runtime_dir()) return std::string("/run/slip");
  return std::string(runtime_dir) + "/slip";
}

Result<std::string> explicit_root(std::string_view given) {
  if (given.empty()) return Error::of(ErrorKind::usage, "option --root must not be empty");
  std::string root = TRY(absolute_path(given));
  while (root.size() > 1 && root.back() == '/') root.pop_back();
  if (root == "/") return Error::of(ErrorKind::usage, "Option --root argument should not be set to /");
  return root;
}

Status read_cgroup_manager(const Arguments& globals, runtime::Context& context) {
  context.systemd_cgroup = globals.flag("systemd-cgroup");
  const std::string_view manager = globals.value("cgroup-manager", "");
  if (manager == "systemd") {
    context.systemd_cgroup = true;
  } else if (manager == "disabled") {
    context.cgroup_disabled = true;
  } else if (!manager.empty() && manager != "cgroupfs") {
    return Error::of(ErrorKind::usage, "unknown cgroup manager \"%s\" (cgroupfs, systemd or disabled)",
                     manager.data());
  }
  return {};
}

/// The value has no effect, but nonsense is told.
Status check_rootless(const Arguments& globals) {
  const char* value = globals.value("rootless");
  if (!value || std::string_view(value) == "auto") return {};
  TRY(parse_bool(value).ctx("--rootless"));
  return {};
}

}  // namespace

Result<std::string> absolute_path(std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  char* here = getcwd(nullptr, 0);
  if (!here) return Error::sys(errno, "current directory");
  std::string out(here);
  free(here);
  return out.append("/").append(path);
}

Status keep_default_root(const Globals& globals) {
  if (globals.explicit_root || globals.context.root.starts_with("/run/slip")) return {};
  const char* root = globals.context.root.c_str();
  if (mkdir(root, 0700) < 0)
    return errno == EEXIST ? Status() : Status(Error::sys(errno, "mkdir `%s`", root));
  if (chmod(root, 01700) < 0) return Error::sys(errno, "chmod `%s`", root);
  return {};
}

Result<Globals> read_globals(const Call& call) {
  Globals out;
  TRY(check_rootless(call.globals));
  out.explicit_root = call.globals.given("root");
  out.context.root = out.explicit_root ? TRY(explicit_root(call.globals.value("root"))) : TRY(default_root());
  TRY(read_cgroup_manager(call.globals, out.context));
  return out;
}

}  // namespace slipway::cli
