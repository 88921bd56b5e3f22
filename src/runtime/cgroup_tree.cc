// Making a cgroup's directories.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "src/runtime/cgroup_fs.h"
#include "src/sys/file.h"

namespace slipway::runtime {
namespace {

constexpr mode_t kMode = 0755;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

std::string parent_of(const std::string& directory) {
  return directory.substr(0, directory.rfind('/'));
}

/// A cpuset without CPUs or memory nodes takes no processes, and a new one has none: they come from the
/// parent.
Status fill_cpuset(const std::string& directory, const std::string& mount) {
  const ControlDirectory here = TRY(ControlDirectory::open(directory));
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    if (!trim(TRY(here.read(file))).empty()) continue;
    if (directory == mount) return Error::of(ErrorKind::failed, "`%s/%s` is empty", mount.c_str(), file);
    const std::string parent = parent_of(directory);
    const ControlDirectory above = TRY(ControlDirectory::open(parent));
    std::string value = TRY(above.read(file));
    if (trim(value).empty()) {
      TRY(fill_cpuset(parent, mount));
      value = TRY(above.read(file));
    }
    TRY(here.write(file, trim(value)));
  }
  return {};
}

/// mkdir; `existed` when somebody else has made it.
Status make_one(const std::string& directory, bool& existed) {
  existed = false;
  if (mkdir(directory.c_str(), kMode) == 0) return {};
  if (errno != EEXIST) return Error::sys(errno, "make cgroup `%s`", directory.c_str());
  existed = true;
  return {};
}

/// Calls `step` for each directory below the mount point down to the container's own.
template <class Step>
Status walk_down(const FileCgroup::Tree& tree, Step step) {
  for (size_t slash = tree.mount.size(); slash != std::string::npos;) {
    const size_t next = tree.directory.find('/', slash + 1);
    TRY(step(tree.directory.substr(0, next)));
    slash = next;
  }
  return {};
}

/// The words of `wanted` that `have` lacks, as cgroup.subtree_control takes them: "+cpu +io".
std::string missing_controllers(std::string_view wanted, std::string_view have) {
  std::string missing;
  std::string list(trim(have));
  for (char& c : list)
    if (c == ' ') c = ',';
  wanted = trim(wanted);
  while (!wanted.empty()) {
    const size_t end = wanted.find(' ');
    const std::string_view word = wanted.substr(0, end);
    wanted.remove_prefix(end == std::string_view::npos ? wanted.size() : end + 1);
    if (sys::list_has(list, word)) continue;
    if (!missing.empty()) missing += ' ';
    missing += '+';
    missing += word;
  }
  return missing;
}

/// All at once, as each write stops the whole tree for a moment; one by one when the kernel refuses (EBUSY:
/// processes in the parent; EOPNOTSUPP: threaded). What cannot be had is missed by the limit that needs it.
void enable_controllers(const ControlDirectory& directory, const std::string& controllers) {
  if (directory.write("cgroup.subtree_control", controllers).ok()) return;
  std::string_view rest = controllers;
  if (rest.find(' ') == std::string_view::npos) return;
  while (!rest.empty()) {
    const size_t end = rest.find(' ');
    Status ignored = directory.write("cgroup.subtree_control", rest.substr(0, end));
    (void)ignored;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
}

/// Below a threaded cgroup a new one is "domain invalid" and takes processes only when it is threaded too.
Status settle_type(const std::string& path) {
  const ControlDirectory directory = TRY(ControlDirectory::open(path));
  if (!directory.has("cgroup.type")) return {};
  if (trim(TRY(directory.read("cgroup.type"))) != "domain invalid") return {};
  return directory.write("cgroup.type", "threaded");
}

}  // namespace

Status make_v1_directory(const FileCgroup::Tree& tree, bool& existed) {
  Status made = make_one(tree.directory, existed);
  if (!made.ok() && made.error().code() == ENOENT)
    made = walk_down(tree, [&](const std::string& part) { return make_one(part, existed); });
  TRY(std::move(made));
  if (sys::list_has(tree.controllers, "cpuset")) TRY(fill_cpuset(tree.directory, tree.mount));
  return {};
}

Status make_v2_directory(const FileCgroup::Tree& tree, bool controllers, bool& existed) {
  std::string available;
  if (controllers)
    available = TRY(sys::read_file_at(AT_FDCWD, (tree.mount + "/cgroup.controllers").c_str(), 4096));
  // As a rule the directories above are there and have their controllers: then this is one mkdir and a look.
  Status made = make_one(tree.directory, existed);
  if (made.ok()) {
    if (!controllers) return {};
    const std::string have =
        TRY(sys::read_file_at(AT_FDCWD, (tree.directory + "/cgroup.controllers").c_str(), 4096));
    if (missing_controllers(available, have).empty()) return {};
  } else if (made.error().code() != ENOENT) {
    return made;
  }
  std::string above = tree.mount;
  const auto make_part = [&](const std::string& part) -> Status {
    if (controllers) {
      const ControlDirectory parent = TRY(ControlDirectory::open(above));
      const std::string has = TRY(parent.read("cgroup.controllers"));
      const std::string missing = missing_controllers(has, TRY(parent.read("cgroup.subtree_control")));
      if (!missing.empty()) enable_controllers(parent, missing);
    }
    bool was_there = false;
    TRY(make_one(part, was_there));
    if (!made.ok() && part == tree.directory) existed = was_there;
    above = part;
    return {};
  };
  TRY(walk_down(tree, make_part));
  return settle_type(tree.directory);
}

}  // namespace slipway::runtime
