#include "src/runtime/intel_rdt.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "src/sys/file.h"

namespace slipway::runtime {

namespace {

constexpr char kRoot[] = "/sys/fs/resctrl";
constexpr long kResctrlMagic = 0x7655821;

Status check_mounted() {
  struct statfs fs;
  if (statfs(kRoot, &fs) == 0 && fs.f_type == kResctrlMagic) return {};
  return Error::of(ErrorKind::unsupported, "linux.intelRdt: no resctrl is mounted on `%s`", kRoot);
}

Status write_group(const std::string& group, const char* file, std::string_view text) {
  return sys::write_file_at(AT_FDCWD, (group + "/" + file).c_str(), text);
}

/// True when it was made.
Result<bool> make_group(const std::string& path) {
  if (mkdir(path.c_str(), 0755) == 0) return true;
  if (errno == EEXIST) return false;
  return Error::sys(errno, "linux.intelRdt: make `%s`", path.c_str());
}

Status write_schemata(const oci::IntelRdt& rdt, const std::string& group) {
  // The kernel takes one line a write.
  const auto write_line = [&](Str line) -> Status {
    if (line.empty()) return {};
    return write_group(group, "schemata", std::string(line.view()) + "\n");
  };
  TRY(write_line(rdt.l3_cache_schema).ctx("linux.intelRdt.l3CacheSchema"));
  TRY(write_line(rdt.mem_bw_schema).ctx("linux.intelRdt.memBwSchema"));
  for (const Str& line : rdt.schemata) TRY(write_line(line).ctx("linux.intelRdt.schemata"));
  return {};
}

}  // namespace

Result<std::string> join_intel_rdt(const oci::IntelRdt& rdt, std::string_view id, pid_t pid) {
  TRY(check_mounted());
  const std::string name(rdt.clos_id.empty() ? id : rdt.clos_id.view());
  const std::string group = name == "/" ? kRoot : std::string(kRoot) + "/" + name;
  std::string made;
  if (name != "/") {
    const bool is_new = TRY(make_group(group));
    const bool sets = !rdt.l3_cache_schema.empty() || !rdt.mem_bw_schema.empty() || !rdt.schemata.empty();
    if (is_new && !rdt.clos_id.empty() && !sets) {
      rmdir(group.c_str());
      return Error::of(ErrorKind::invalid,
                       "linux.intelRdt.closID: there is no class `%s`, and no schemata to make it",
                       name.c_str());
    }
    if (is_new) made = group;
  }
  TRY(write_schemata(rdt, group));
  TRY(write_group(group, "tasks", std::to_string(pid)).ctx("linux.intelRdt"));
  if (!rdt.enable_monitoring) return made;
  const std::string monitor = group + "/mon_groups/" + std::string(id);
  if (TRY(make_group(monitor))) made = monitor + (made.empty() ? "" : "\n" + made);
  TRY(write_group(monitor, "tasks", std::to_string(pid)).ctx("linux.intelRdt.enableMonitoring"));
  return made;
}

Status leave_intel_rdt(std::string_view made) {
  while (!made.empty()) {
    const size_t end = made.find('\n');
    const std::string path(made.substr(0, end));
    made = end == std::string_view::npos ? std::string_view() : made.substr(end + 1);
    if (rmdir(path.c_str()) < 0 && errno != ENOENT) return Error::sys(errno, "remove `%s`", path.c_str());
  }
  return {};
}

}  // namespace slipway::runtime
