#include "src/sys/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <utility>

#include "src/sys/directory.h"
#include "src/sys/file.h"
#include "src/sys/mountinfo.h"

namespace slipway::sys {
namespace {

constexpr size_t kMembershipLimit = 256 * 1024;
constexpr size_t kMountinfoLimit = 64 * 1024 * 1024;
constexpr size_t kProcsLimit = 16 * 1024 * 1024;
constexpr int kMaxDepth = 64;

CgroupVersion version_of(const struct statfs& info) {
  if (info.f_type == CGROUP2_SUPER_MAGIC) return CgroupVersion::v2;
  if (info.f_type == CGROUP_SUPER_MAGIC) return CgroupVersion::v1;
  return CgroupVersion::none;
}

/// Cuts the next piece off, up to `separator`; false when there is nothing left.
bool next_piece(std::string_view& text, char separator, std::string_view& piece) {
  if (text.empty()) return false;
  const size_t end = text.find(separator);
  piece = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return true;
}

/// Options that are no controllers, as /proc/mounts shows them for v1.
bool is_mount_flag(std::string_view option) {
  for (const std::string_view flag :
       {"rw", "ro", "relatime", "noprefix", "xattr", "clone_children", "cpuset_v2_mode", "favordynmods"})
    if (option == flag) return true;
  return option.starts_with("release_agent=");
}

std::string controllers_of(std::string_view options) {
  std::string controllers;
  std::string_view option;
  while (next_piece(options, ',', option)) {
    if (is_mount_flag(option)) continue;
    if (!controllers.empty()) controllers += ',';
    controllers += option;
  }
  return controllers;
}

/// Where distributions mount a hierarchy: by its list of controllers, by one of them, by its name.
std::string usual_place(std::string_view controllers) {
  const std::string base = "/sys/fs/cgroup/";
  if (controllers.starts_with("name=")) return base + std::string(controllers.substr(5));
  if (controllers.empty()) return base + "unified";
  std::string place = base + std::string(controllers);
  const bool alone = controllers.find(',') == std::string_view::npos;
  if (alone || cgroup_version(place.c_str()) == CgroupVersion::v1) return place;
  return base + std::string(controllers.substr(0, controllers.find(',')));
}

/// The same controllers, in whatever order.
bool same_controllers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  std::string_view word;
  while (next_piece(a, ',', word))
    if (!list_has(b, word)) return false;
  return true;
}

/// The mount table, read when it is first asked.
class MountTable {
 public:
  const std::vector<CgroupMount>& mounts() {
    if (!loaded_) {
      Result<std::string> text = read_file_at(AT_FDCWD, "/proc/self/mountinfo", kMountinfoLimit);
      if (text.ok()) mounts_ = parse_cgroup_mounts(*text);
      loaded_ = true;
    }
    return mounts_;
  }
  const CgroupMount* find(std::string_view controllers) {
    for (const CgroupMount& mount : mounts())
      if (same_controllers(mount.controllers, controllers)) return &mount;
    return nullptr;
  }

 private:
  bool loaded_ = false;
  std::vector<CgroupMount> mounts_;
};

/// The caller's cgroup as seen below the mount point. In a container without a cgroup namespace the path is
/// the host's, and what is mounted is not the root of the hierarchy.
std::string own_path(const CgroupHierarchy& hierarchy, const std::string& path, MountTable& table) {
  if (path == "/" || path.empty()) return "";
  if (access((hierarchy.mount + path + "/cgroup.procs").c_str(), F_OK) == 0) return path;
  const CgroupMount* mount = table.find(hierarchy.controllers);
  if (!mount || mount->root == "/" || !path.starts_with(mount->root)) return "";
  const std::string below = path.substr(mount->root.size());
  return below.empty() || below[0] == '/' ? below : "";
}

/// Fills in where it is mounted; false when it is nowhere.
bool locate(const CgroupMembership& member, MountTable& table, CgroupHierarchy& hierarchy) {
  const CgroupVersion want = member.controllers.empty() ? CgroupVersion::v2 : CgroupVersion::v1;
  hierarchy.controllers = member.controllers;
  hierarchy.mount = usual_place(member.controllers);
  if (cgroup_version(hierarchy.mount.c_str()) != want) {
    const CgroupMount* mount = table.find(member.controllers);
    if (!mount || cgroup_version(mount->directory.c_str()) != want) return false;
    hierarchy.mount = mount->directory;
  }
  hierarchy.version = want;
  hierarchy.own = own_path(hierarchy, member.path, table);
  return true;
}

Status read_pids(int directory, const char* name, std::vector<pid_t>& pids) {
  const std::string text = TRY(read_file_at(directory, name, kProcsLimit));
  std::string_view rest = text, line;
  while (next_piece(rest, '\n', line)) {
    pid_t pid = 0;
    std::from_chars(line.data(), line.data() + line.size(), pid);
    if (pid > 0) pids.push_back(pid);  // 0: a process of a pid namespace that the caller does not see
  }
  return {};
}

/// Calls `each` with the name of every child cgroup until it returns false.
template <class Each>
void for_each_child(int directory, Each each) {
  const Fd again(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again) return;
  DirectoryReader reader(again.get());
  while (const dirent64* entry = reader.next())
    if (entry->d_type == DT_DIR && !each(entry->d_name)) return;
}

Status collect(int directory, std::vector<pid_t>& pids, int depth) {
  Status here = read_pids(directory, "cgroup.procs", pids);
  if (!here.ok()) {
    const int code = here.error().code();
    if (code == ENOENT || code == ENODEV) return {};  // removed meanwhile
    if (code != EOPNOTSUPP) return here;
    TRY(read_pids(directory, "cgroup.threads", pids));  // a threaded cgroup has no processes of its own
  }
  if (depth >= kMaxDepth) return Error::of(ErrorKind::invalid, "cgroups are nested too deeply");
  Status below;
  for_each_child(directory, [&](const char* name) {
    const Fd child(openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (child) below = collect(child.get(), pids, depth + 1);
    return below.ok();
  });
  return below;
}

int remove_below(int parent, const char* name, int depth) {
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  // A cgroup with children is EBUSY on v1 and v2 alike (ENOTEMPTY before 3.x).
  if (errno != EBUSY && errno != ENOTEMPTY) return errno;
  const Fd directory(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return errno == ENOENT ? 0 : errno;
  int failed = 0;
  bool children = false;
  if (depth < kMaxDepth)
    for_each_child(directory.get(), [&](const char* child) {
      children = true;
      if (const int code = remove_below(directory.get(), child, depth + 1)) failed = code;
      return true;
    });
  if (failed) return failed;
  if (!children) return EBUSY;
  return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
}

}  // namespace

CgroupVersion cgroup_version(int fd) {
  struct statfs info = {};
  return fstatfs(fd, &info) == 0 ? version_of(info) : CgroupVersion::none;
}

CgroupVersion cgroup_version(const char* path) {
  struct statfs info = {};
  return statfs(path, &info) == 0 ? version_of(info) : CgroupVersion::none;
}

bool list_has(std::string_view list, std::string_view word) {
  std::string_view item;
  while (next_piece(list, ',', item))
    if (item == word) return true;
  return false;
}

bool CgroupHierarchy::has(std::string_view controller) const {
  return list_has(controllers, controller);
}

Result<std::vector<CgroupMembership>> parse_memberships(std::string_view text) {
  std::vector<CgroupMembership> all;
  std::string_view line;
  while (next_piece(text, '\n', line)) {
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos || second + 1 >= line.size() || line[second + 1] != '/')
      return Error::of(ErrorKind::invalid, "unexpected line `%.*s`", static_cast<int>(line.size()),
                       line.data());
    all.push_back(
        {std::string(line.substr(first + 1, second - first - 1)), std::string(line.substr(second + 1))});
  }
  return all;
}

Result<std::vector<CgroupMembership>> read_memberships(pid_t pid) {
  char path[32] = "/proc/self/cgroup";
  if (pid) snprintf(path, sizeof path, "/proc/%d/cgroup", static_cast<int>(pid));
  const std::string text = TRY(read_file_at(AT_FDCWD, path, kMembershipLimit));
  return parse_memberships(text).ctx("`%s`", path);
}

std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  for (MountEntry& entry : parse_mountinfo(mountinfo)) {
    const bool unified = entry.type == "cgroup2";
    if (!(unified || entry.type == "cgroup") || !entry.mountpoint.starts_with('/')) continue;
    mounts.push_back(
        {unified ? "" : controllers_of(entry.options), std::move(entry.mountpoint), std::move(entry.root)});
  }
  return mounts;
}

Result<std::vector<CgroupHierarchy>> find_hierarchies() {
  std::vector<CgroupHierarchy> found;
  MountTable table;
  const bool unified = cgroup_version("/sys/fs/cgroup") == CgroupVersion::v2;
  for (const CgroupMembership& member : TRY(read_memberships(0))) {
    CgroupHierarchy hierarchy;
    if (unified) {
      if (!member.controllers.empty()) continue;
      hierarchy = {CgroupVersion::v2, "", "/sys/fs/cgroup", ""};
      hierarchy.own = own_path(hierarchy, member.path, table);
    } else if (!locate(member, table, hierarchy)) {
      continue;
    }
    found.push_back(std::move(hierarchy));
  }
  return found;
}

Status collect_processes(int directory, std::vector<pid_t>& pids) {
  return collect(directory, pids, 0);
}

int remove_cgroup_tree(const char* path) {
  return remove_below(AT_FDCWD, path, 0);
}

}  // namespace slipway::sys
