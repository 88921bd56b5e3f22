#include "src/runtime/cgroup_fs.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "src/runtime/cgroup_delegate.h"
#include "src/runtime/cgroup_devices.h"
#include "src/runtime/cgroup_path.h"
#include "src/runtime/cgroup_resources.h"
#include "src/sys/file.h"

namespace slipway::runtime {
namespace {

Result<Fd> open_tasks(const std::string& directory) {
  Fd tasks = TRY(sys::open_at(AT_FDCWD, (directory + "/tasks").c_str(), O_WRONLY));
  if (sys::cgroup_version(tasks.get()) != sys::CgroupVersion::v1)
    return Error::of(ErrorKind::invalid, "`%s` is not on a cgroup file system", directory.c_str());
  return tasks;
}

/// "sub" below a directory; ".." would lead out of the container's cgroup.
Result<std::string> below(const std::string& directory, std::string_view sub) {
  if (sub.empty() || sub == "/") return directory;
  const std::string clean = clean_cgroup_path(sub);
  const std::string with_slashes = "/" + std::string(sub) + "/";
  if (with_slashes.find("/../") != std::string::npos)
    return Error::of(ErrorKind::invalid, "`%.*s` is not a sub cgroup path", static_cast<int>(sub.size()),
                     sub.data());
  return directory + (clean == "/" ? "" : clean);
}

/// Where on v2 init is: an init like systemd moves itself into a child cgroup, and then the container's own
/// takes no processes any more (EBUSY). What is not below the container's own is not trusted.
std::string init_directory(const FileCgroup::Tree& tree, pid_t init) {
  Result<std::vector<sys::CgroupMembership>> lines = sys::read_memberships(init);
  if (!lines.ok()) return tree.directory;
  for (const sys::CgroupMembership& line : *lines) {
    if (!line.controllers.empty()) continue;
    // The path is seen from the root of the caller's cgroup namespace; the directory begins with a mount
    // point.
    for (size_t from = 1; from != std::string::npos; from = tree.directory.find('/', from + 1)) {
      const std::string own = tree.directory.substr(from);
      if (own.size() > 1 && line.path.starts_with(own) &&
          (line.path.size() == own.size() || line.path[own.size()] == '/'))
        return tree.directory + line.path.substr(own.size());
    }
  }
  return tree.directory;
}

/// A record that is broken, or from before the cgroup was made, must not make a hierarchy's root a container's
/// cgroup: what is in a container's cgroup is killed and removed.
std::vector<FileCgroup::Tree> trees_of(const CgroupRecord& record) {
  std::vector<FileCgroup::Tree> trees;
  const size_t slash = record.path.rfind('/');
  if (slash == std::string::npos || slash + 1 == record.path.size()) return trees;
  const std::string_view name = std::string_view(record.path).substr(slash);
  for (const auto& [controller, directory] : record.directories) {
    if (!directory.ends_with(name)) continue;
    // Co-mounted controllers share their directory.
    const auto same = std::find_if(trees.begin(), trees.end(), [&wanted = directory](const auto& tree) {
      return tree.directory == wanted;
    });
    if (same != trees.end()) {
      same->controllers += "," + controller;
      continue;
    }
    const auto version = controller.empty() ? sys::CgroupVersion::v2 : sys::CgroupVersion::v1;
    trees.push_back({version, controller, "", directory, true});
  }
  return trees;
}

}  // namespace

void pause_ms(long milliseconds) {
  const timespec span = {milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  nanosleep(&span, nullptr);
}

bool is_denied(int code) {
  return code == EACCES || code == EPERM || code == EROFS;
}

bool is_rootless() {
  if (geteuid() != 0) return true;
  Result<std::string> map = sys::read_file_at(AT_FDCWD, "/proc/self/uid_map", 64 * 1024);
  if (!map.ok()) return false;
  unsigned inside = 0, outside = 0, count = 0;
  return sscanf(map->c_str(), "%u %u %u", &inside, &outside, &count) != 3 || count != UINT32_MAX;
}

Status write_pid(const std::string& directory, pid_t pid) {
  const ControlDirectory open = TRY(ControlDirectory::open(directory));
  char text[16];
  const int size = snprintf(text, sizeof text, "%d", static_cast<int>(pid));
  const std::string_view value(text, static_cast<size_t>(size));
  for (int tries = 0;; ++tries) {
    Status done = open.write("cgroup.procs", value);
    // EINVAL: the kernel's way to say that it is just changing the tree's controllers.
    if (done.ok() || done.error().code() != EINVAL || tries == 5) return done;
    pause_ms(30);
  }
}

FileCgroup::FileCgroup(const CgroupRecord& record)
    : path_(record.path), scope_(record.scope), trees_(trees_of(record)) {}

FileCgroup::FileCgroup(const oci::Spec& spec, std::string path, std::vector<Tree> trees)
    : spec_(&spec), path_(std::move(path)), trees_(std::move(trees)) {}

Cgroup::Layout FileCgroup::layout() const {
  bool v1 = false, v2 = false;
  for (const Tree& tree : trees_) (tree.version == sys::CgroupVersion::v1 ? v1 : v2) = true;
  if (v1) return v2 ? Layout::hybrid : Layout::v1;
  return v2 ? Layout::v2 : Layout::none;
}

std::vector<std::pair<std::string, std::string>> FileCgroup::directories() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const Tree& tree : trees_) {
    std::string_view rest = tree.controllers;
    do {
      const size_t comma = rest.find(',');
      all.emplace_back(rest.substr(0, comma), tree.directory);
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    } while (!rest.empty());
  }
  return all;
}

const FileCgroup::Tree* FileCgroup::v2_tree() const {
  for (const Tree& tree : trees_)
    if (tree.version == sys::CgroupVersion::v2) return &tree;
  return nullptr;
}

const FileCgroup::Tree* FileCgroup::tree_of(std::string_view controller) const {
  for (const Tree& tree : trees_)
    if (tree.version == sys::CgroupVersion::v1 && sys::list_has(tree.controllers, controller)) return &tree;
  return v2_tree();
}

const FileCgroup::Tree* FileCgroup::census() const {
  for (const char* controller : {"devices", "pids", "memory"}) {
    const Tree* tree = tree_of(controller);
    if (tree && tree->version == sys::CgroupVersion::v1) return tree;
  }
  if (const Tree* tree = v2_tree()) return tree;
  return trees_.empty() ? nullptr : &trees_.front();
}

// --- entering ---------------------------------------------------------------------------------------------

/// The v2 tree of a hybrid host has few controllers or none, and its own users: they are left alone unless a
/// limit needs one.
bool FileCgroup::wants_v2_controllers() const {
  if (layout() != Layout::hybrid) return true;
  const oci::Resources* resources = spec_->linux_ ? spec_->linux_->resources : nullptr;
  if (!resources) return false;
  return !resources->unified.empty() || !resources->rdma.empty() || !resources->hugepage_limits.empty();
}

Status FileCgroup::make_tree(const Tree& tree, bool& existed) {
  return tree.version == sys::CgroupVersion::v2 ? make_v2_directory(tree, wants_v2_controllers(), existed)
                                                : make_v1_directory(tree, existed);
}

Status FileCgroup::make_trees(sys::CgroupVersion version) {
  Status denied;
  for (Tree& tree : trees_) {
    if (tree.version != version) continue;
    bool existed = false;
    Status done = make_tree(tree, existed);
    if (!done.ok() && is_denied(done.error().code()) && is_rootless()) {
      denied = std::move(done);
      tree.directory.clear();
      continue;
    }
    TRY(std::move(done));
    if (existed) TRY(refuse_occupied(tree));
    tree.owned = true;
  }
  std::erase_if(trees_, [](const Tree& tree) { return tree.directory.empty(); });
  const bool wanted = spec_ && spec_->linux_ && !spec_->linux_->cgroups_path.empty();
  if (trees_.empty() && !denied.ok() && wanted)
    return std::move(denied).ctx("rootless: linux.cgroupsPath is set, but there is no permission");
  if (trees_.empty()) path_.clear();
  return {};
}

Status FileCgroup::refuse_occupied(const Tree& tree) {
  const ControlDirectory directory = TRY(ControlDirectory::open(tree.directory));
  std::vector<pid_t> pids;
  TRY(sys::collect_processes(directory.fd(), pids));
  if (!pids.empty())
    return Error::of(ErrorKind::in_use, "container's cgroup is not empty: %zu process(es) found in `%s`",
                     pids.size(), tree.directory.c_str());
  if (&tree == tree_of("freezer") && TRY(frozen()))
    return Error::of(ErrorKind::in_use, "container's cgroup unexpectedly frozen");
  return {};
}

bool FileCgroup::owns_any() const {
  return std::any_of(trees_.begin(), trees_.end(), [](const Tree& tree) { return tree.owned; });
}

Status FileCgroup::delegate() {
  if (layout() != Layout::v2 || !spec_) return {};
  const Opt<uid_t> owner = cgroup_owner(*spec_);
  if (!owner) return {};
  const ControlDirectory directory = TRY(ControlDirectory::open(v2_tree()->directory));
  return delegate_cgroup(directory, *owner);
}

std::string FileCgroup::annotation(const char* name) const {
  const Str* const value = spec_ ? spec_->annotations.find(name) : nullptr;
  return value ? std::string(value->view()) : std::string();
}

Result<FileCgroup::Tree> FileCgroup::enter_below(const Tree& above, const std::string& name,
                                                 pid_t pid) const {
  Tree tree = above;
  tree.directory += "/" + name;
  bool existed = false;
  TRY(make_v2_directory(tree, false, existed));
  TRY(write_pid(tree.directory, pid));
  // Not before: a cgroup that has processes enables no controllers for those below.
  TRY(make_v2_directory(tree, true, existed));
  return tree;
}

Status FileCgroup::delegate_to(pid_t pid) {
  const std::string name = annotation(kDelegateAnnotation);
  if (name.empty()) return {};
  const Tree below = TRY(enter_below(*v2_tree(), name, pid).ctx("annotations[%s]", kDelegateAnnotation));
  const Opt<uid_t> owner = cgroup_owner(*spec_);
  if (!owner) return {};
  return delegate_cgroup(TRY(ControlDirectory::open(below.directory)), *owner);
}

Result<Fd> FileCgroup::prepare() {
  TRY(make_trees(sys::CgroupVersion::v2));
  const Tree* tree = v2_tree();
  if (!tree) return Fd();
  TRY(delegate());
  return sys::open_at(AT_FDCWD, tree->directory.c_str(), O_RDONLY | O_DIRECTORY);
}

Result<std::vector<Fd>> FileCgroup::open_v1() {
  std::vector<Fd> tasks;
  for (const Tree& tree : trees_)
    if (tree.version == sys::CgroupVersion::v1) tasks.push_back(TRY(open_tasks(tree.directory)));
  // A v1 device cgroup goes from all to nothing and then to what is allowed: nobody may be in it meanwhile.
  const Tree* devices = tree_of("devices");
  if (devices && devices->version == sys::CgroupVersion::v1) {
    const oci::Resources* resources = spec_->linux_ ? spec_->linux_->resources : nullptr;
    const ControlDirectory directory = TRY(ControlDirectory::open(devices->directory));
    TRY(apply_devices_v1(directory, resources ? resources->devices : List<oci::DeviceRule>()));
    devices_done_ = true;
  }
  return tasks;
}

Result<std::vector<Fd>> FileCgroup::join(pid_t pid, bool entered) {
  const Tree* unified = v2_tree();
  if (unified && !entered) TRY(write_pid(unified->directory, pid));
  TRY(make_trees(sys::CgroupVersion::v1));
  return open_v1();
}

Result<std::string> FileCgroup::exec_directory(const Tree& tree, pid_t init,
                                               const std::vector<SubCgroup>& subs) const {
  for (const SubCgroup& sub : subs)
    if (sub.controller.empty() || sys::list_has(tree.controllers, sub.controller))
      return TRY(below(tree.directory, sub.path));
  return tree.version == sys::CgroupVersion::v2 ? init_directory(tree, init) : tree.directory;
}

Result<CgroupEntry> FileCgroup::exec_entry(pid_t init, const std::vector<SubCgroup>& subs) {
  for (const SubCgroup& sub : subs) {
    const Tree* tree = sub.controller.empty() ? nullptr : tree_of(sub.controller);
    if (!sub.controller.empty() && (!tree || tree->version != sys::CgroupVersion::v1))
      return Error::of(ErrorKind::invalid, "unknown controller `%s`: the container has no v1 cgroup for it",
                       sub.controller.c_str());
  }
  CgroupEntry entry;
  for (const Tree& tree : trees_) {
    const std::string directory = TRY(exec_directory(tree, init, subs));
    if (tree.version == sys::CgroupVersion::v2) {
      entry.v2 = TRY(sys::open_at(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY).ctx("cgroup"));
      if (sys::cgroup_version(entry.v2.get()) != sys::CgroupVersion::v2)
        return Error::of(ErrorKind::invalid, "`%s` is not on a cgroup file system", directory.c_str());
    } else {
      entry.tasks.push_back(TRY(open_tasks(directory).ctx("cgroup")));
    }
  }
  return entry;
}

Status FileCgroup::join_exec(pid_t pid, pid_t init, const std::vector<SubCgroup>& subs, bool entered) {
  if (entered) return {};
  for (const Tree& tree : trees_) {
    const std::string directory = TRY(exec_directory(tree, init, subs));
    TRY(write_pid(directory, pid));
  }
  return {};
}

// --- limits -----------------------------------------------------------------------------------------------

Status FileCgroup::apply(const oci::Resources& resources) {
  ControllerDirectories where;
  for (const Tree& tree : trees_) where.add(tree.controllers, tree.directory);
  // A new container goes as a whole when a limit fails; one that exists gets all of an update or nothing.
  ControlJournal journal;
  if (!spec_) where.keep_journal(&journal);
  Status done = apply_all(where, resources);
  if (!done.ok()) journal.undo();
  return done;
}

Status FileCgroup::apply_all(ControllerDirectories& where, const oci::Resources& resources) {
  TRY(apply_resources(where, resources));
  // A new container gets a device policy even when none is asked for; an update without rules changes
  // nothing.
  if (devices_done_) {
    devices_done_ = false;
    return {};
  }
  if (!spec_ && resources.devices.empty()) return {};
  const Tree* devices = tree_of("devices");
  if (!devices) return {};
  const ControlDirectory directory = TRY(ControlDirectory::open(devices->directory));
  return devices->version == sys::CgroupVersion::v1 ? apply_devices_v1(directory, resources.devices)
                                                    : apply_devices_v2(directory, resources.devices);
}

}  // namespace slipway::runtime
