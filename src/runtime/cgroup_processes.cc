// What is in a container's cgroups: freezing, signals, and the removal, for which all of it must have ended.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "src/base/fault.h"
#include "src/runtime/cgroup_fs.h"
#include "src/sys/file.h"
#include "src/sys/kernel.h"

namespace slipway::runtime {
namespace {

constexpr int kMaxRounds = 100;

/// Signals those that are in both lists: a pid of the first that was reused meanwhile is not among them, or
/// it is in the cgroup.
Status signal_listed(int directory, int signal, size_t& count) {
  std::vector<pid_t> pids;
  TRY(sys::collect_processes(directory, pids));
  std::vector<std::pair<pid_t, Fd>> open;
  for (const pid_t pid : pids)
    if (pid != getpid()) open.emplace_back(pid, Fd(sys::pidfd_open(pid)));
  pids.clear();
  TRY(sys::collect_processes(directory, pids));
  std::sort(pids.begin(), pids.end());
  count = open.size();
  for (const auto& [pid, pidfd] : open) {
    if (!pidfd || !std::binary_search(pids.begin(), pids.end(), pid)) continue;
    if (sys::pidfd_send_signal(pidfd.get(), signal) < 0 && errno != ESRCH)
      return Error::sys(errno, "send signal %d to process %d", signal, static_cast<int>(pid));
  }
  return {};
}

}  // namespace

Status FileCgroup::freeze(bool frozen) {
  const Tree* tree = tree_of("freezer");
  if (!tree) {
    if (!frozen) return {};
    return Error::of(ErrorKind::unsupported, "there is no freezer cgroup to pause in");
  }
  const ControlDirectory directory = TRY(ControlDirectory::open(tree->directory));
  return directory.version() == sys::CgroupVersion::v1 ? freeze_v1(directory, frozen)
                                                       : freeze_v2(directory, frozen);
}

Result<bool> FileCgroup::frozen() {
  const Tree* tree = tree_of("freezer");
  if (!tree) return false;
  // self_freezing: freezer.state also tells of ancestors.
  const bool v1 = tree->version == sys::CgroupVersion::v1;
  Result<std::string> state = sys::read_file_at(
      AT_FDCWD, (tree->directory + (v1 ? "/freezer.self_freezing" : "/cgroup.freeze")).c_str(), 4096);
  if (!state.ok()) {
    const int code = state.error().code();
    if (code == ENOENT || code == ENODEV) return false;
    return std::move(state).error();
  }
  return state->starts_with('1');
}

Result<std::vector<pid_t>> FileCgroup::processes() {
  std::vector<pid_t> pids;
  const Tree* tree = census();
  if (!tree) return pids;
  Result<ControlDirectory> directory = ControlDirectory::open(tree->directory);
  if (!directory.ok()) {
    if (directory.error().kind() == ErrorKind::not_found) return pids;
    return std::move(directory).error();
  }
  TRY(sys::collect_processes(directory->fd(), pids));
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

Status FileCgroup::signal_all(int signal) {
  if (signal == SIGKILL) return kill_all();
  const Tree* tree = census();
  if (!tree) return {};
  Result<ControlDirectory> directory = ControlDirectory::open(tree->directory);
  if (!directory.ok())
    return directory.error().kind() == ErrorKind::not_found ? Status() : std::move(directory).error();
  size_t count = 0;
  return signal_listed(directory->fd(), signal, count);
}

/// One look at every hierarchy: on v1 the processes may be spread over different cgroups in each.
Status FileCgroup::kill_all() {
  for (const Tree& tree : trees_) {
    Result<ControlDirectory> directory = ControlDirectory::open(tree.directory);
    if (!directory.ok()) {
      if (directory.error().kind() == ErrorKind::not_found) continue;
      return std::move(directory).error();
    }
    std::vector<pid_t> pids;
    TRY(sys::collect_processes(directory->fd(), pids));
    if (std::find(pids.begin(), pids.end(), getpid()) != pids.end())
      return Error::of(ErrorKind::in_use, "not killing what is in cgroup `%s`: the caller is in it too",
                       tree.directory.c_str());
    // cgroup.kill, 5.14, takes all at once, those that fork meanwhile too.
    if (tree.version == sys::CgroupVersion::v2 && directory->write("cgroup.kill", "1").ok()) continue;
    size_t before = SIZE_MAX;
    for (int round = 0; round < kMaxRounds; ++round) {
      size_t count = 0;
      TRY(signal_listed(directory->fd(), SIGKILL, count));
      if (count == 0 || (round > 0 && count <= before)) break;  // nothing new was forked
      before = count;
    }
  }
  fault_point("runtime.kill.signalled");
  // A process that the v1 freezer holds does not see the signal until it is thawed.
  const Tree* freezer = tree_of("freezer");
  if (!freezer || freezer->version != sys::CgroupVersion::v1) return {};
  Status thawed = freeze(false);
  if (!thawed.ok() && thawed.error().kind() == ErrorKind::not_found) return {};
  return thawed;
}

uint64_t FileCgroup::oom_kills() {
  const Tree* tree = tree_of("memory");
  if (!tree) return 0;
  const bool v1 = tree->version == sys::CgroupVersion::v1;
  Result<std::string> text = sys::read_file_at(
      AT_FDCWD, (tree->directory + (v1 ? "/memory.oom_control" : "/memory.events")).c_str(), 4096);
  return text.ok() ? flat_keyed(*text, "oom_kill", 0) : 0;
}

// --- the end ----------------------------------------------------------------------------------------------

Status FileCgroup::destroy() {
  std::erase_if(trees_, [](const Tree& tree) { return !tree.owned; });
  bool busy = false;
  for (const Tree& tree : trees_)
    if (const int code = sys::remove_cgroup_tree(tree.directory.c_str())) {
      if (code != EBUSY) return Error::sys(code, "remove cgroup `%s`", tree.directory.c_str());
      busy = true;
    }
  if (!busy) return {};

  TRY(kill_all());
  bool ended = true;
  if (const Tree* tree = v2_tree()) {
    Result<ControlDirectory> directory = ControlDirectory::open(tree->directory);
    ended = !directory.ok() || wait_unpopulated(*directory, patience_ms_);
  }
  // Without events (v1), and for the moment in which a dead process still counts: look again, ever less
  // often.
  long left = ended ? patience_ms_ : 0;
  for (long wait = 1;; wait = wait < 50 ? wait * 2 : 50) {
    busy = false;
    for (const Tree& tree : trees_) busy = sys::remove_cgroup_tree(tree.directory.c_str()) != 0 || busy;
    if (!busy) return {};
    if (left <= 0) return still_busy();
    pause_ms(wait);
    left -= wait;
  }
}

Status FileCgroup::still_busy() {
  for (const Tree& tree : trees_) {
    Result<ControlDirectory> directory = ControlDirectory::open(tree.directory);
    std::vector<pid_t> pids;
    if (!directory.ok() || !sys::collect_processes(directory->fd(), pids).ok() || pids.empty()) continue;
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pids[0]));
    Result<std::string> stat = sys::read_file_at(AT_FDCWD, path, 4096);
    const size_t paren = stat.ok() ? stat->rfind(')') : std::string::npos;
    const char state = paren != std::string::npos && paren + 2 < stat->size() ? (*stat)[paren + 2] : '?';
    return Error::of(ErrorKind::in_use,
                     "cgroup `%s` is still busy: %zu process(es) do not end; process %d is in state %c%s",
                     tree.directory.c_str(), pids.size(), static_cast<int>(pids[0]), state,
                     state == 'D' ? " (waits in the kernel for a device or a file system)" : "");
  }
  return Error::of(ErrorKind::in_use, "cgroup `%s` is still busy", path_.c_str());
}

}  // namespace slipway::runtime
