#include "src/sys/userns.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "src/sys/file.h"
#include "src/sys/kernel.h"
#include "src/sys/ns.h"

namespace slipway::sys {

namespace {

std::string text_of(std::span<const IdRange> ranges) {
  std::string text;
  for (const IdRange& range : ranges)
    text += std::to_string(range.inside) + " " + std::to_string(range.outside) + " " +
            std::to_string(range.count) + "\n";
  return text;
}

bool is_own(std::span<const IdRange> ranges, uint32_t own) {
  return ranges.size() == 1 && ranges[0].count == 1 && ranges[0].outside == own;
}

Status run_helper(const char* program, pid_t pid, std::span<const IdRange> ranges) {
  std::vector<std::string> words = {program, std::to_string(pid)};
  for (const IdRange& range : ranges)
    for (const uint32_t number : {range.inside, range.outside, range.count})
      words.push_back(std::to_string(number));
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t helper;
  const int err = posix_spawnp(&helper, program, nullptr, nullptr, argv.data(), environ);
  if (err) return Error::sys(err, "run `%s`", program);
  int status = 0;
  while (waitpid(helper, &status, 0) < 0 && errno == EINTR) continue;
  if (status != 0)
    return Error::of(ErrorKind::failed,
                     "`%s` refused the map of the user namespace (see /etc/subuid and /etc/subgid)", program);
  return {};
}

Status write_map(pid_t pid, const char* file, const char* helper, std::span<const IdRange> ranges,
                 bool direct) {
  if (!direct) return run_helper(helper, pid, ranges);
  const std::string path = "/proc/" + std::to_string(pid) + "/" + file;
  return write_file_at(AT_FDCWD, path.c_str(), text_of(ranges));
}

Result<std::vector<IdRange>> read_map(pid_t pid, const char* file) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + file;
  const std::string text = TRY(read_file_at(AT_FDCWD, path.c_str(), 64 * 1024));
  std::vector<IdRange> ranges;
  IdRange range;
  int size;
  for (const char* at = text.c_str();
       sscanf(at, "%u %u %u%n", &range.inside, &range.outside, &range.count, &size) == 3; at += size)
    ranges.push_back(range);
  return ranges;
}

/// A process that is in the namespace and does nothing; it goes when this does.
class Inhabitant {
 public:
  static Result<Inhabitant> of(int ns) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return Error::sys(errno, "pipe");
    const Fd from(ends[0]);
    Fd to(ends[1]);
    clone_args args = {};  // no SIGCHLD: waited for with __WALL
    Inhabitant child(clone3(args));
    if (child.pid_ < 0) return Error::sys(errno, "clone");
    if (child.pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int error = setns(ns, CLONE_NEWUSER) < 0 ? errno : 0;
      if (write(to.get(), &error, sizeof error) != sizeof error) _exit(1);
      for (;;) pause();
    }
    to.reset();
    int error = EIO;
    while (read(from.get(), &error, sizeof error) < 0 && errno == EINTR) continue;
    if (error) return Error::sys(error, "join the user namespace");
    return child;
  }
  Inhabitant(Inhabitant&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Inhabitant& operator=(Inhabitant&&) = delete;
  ~Inhabitant() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) continue;
  }
  pid_t pid() const { return pid_; }

 private:
  explicit Inhabitant(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

Result<IdMaps> maps_of(pid_t pid) {
  IdMaps maps;
  maps.uids = TRY(read_map(pid, "uid_map"));
  maps.gids = TRY(read_map(pid, "gid_map"));
  return maps;
}

}  // namespace

Result<IdMaps> read_id_maps(int ns) {
  if (is_own_namespace(ns, *find_namespace("user"))) return maps_of(getpid());
  const Inhabitant inside = TRY(Inhabitant::of(ns));
  return maps_of(inside.pid());
}

Status write_id_maps(pid_t pid, std::span<const IdRange> uids, std::span<const IdRange> gids) {
  const bool root = geteuid() == 0;
  const bool own_uid = is_own(uids, geteuid());
  const bool own_gid = is_own(gids, getegid());
  if (!root && own_gid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/setgroups";
    TRY(write_file_at(AT_FDCWD, path.c_str(), "deny"));
  }
  TRY(write_map(pid, "uid_map", "newuidmap", uids, root || own_uid));
  return write_map(pid, "gid_map", "newgidmap", gids, root || own_gid);
}

Result<uid_t> outer_uid(pid_t pid, uid_t uid) {
  for (const IdRange& range : TRY(read_map(pid, "uid_map")))
    if (uid >= range.inside && uid - range.inside < range.count) return range.outside + (uid - range.inside);
  return Error::of(ErrorKind::not_found, "user %u is not in `/proc/%d/uid_map`", uid, pid);
}

}  // namespace slipway::sys
