#include "src/sys/idmap.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "src/sys/file.h"
#include "src/sys/kernel.h"

namespace slipway::sys {
namespace {

std::string map_text(const std::vector<IdRange>& ranges) {
  std::string text;
  for (const IdRange& range : ranges)
    text += std::to_string(range.inside) + ' ' + std::to_string(range.outside) + ' ' +
            std::to_string(range.count) + '\n';
  return text;
}

/// /proc/PID of a process that has just been cloned into a user namespace of its own.
Result<Fd> fill_namespace(pid_t pid, const std::vector<IdRange>& uids, const std::vector<IdRange>& gids) {
  const std::string proc = "/proc/" + std::to_string(pid);
  const Fd dir = TRY(open_at(AT_FDCWD, proc.c_str(), O_PATH | O_DIRECTORY));
  TRY(write_file_at(dir.get(), "uid_map", map_text(uids)));
  TRY(write_file_at(dir.get(), "gid_map", map_text(gids)));
  return open_at(dir.get(), "ns/user", O_RDONLY);
}

}  // namespace

Result<Fd> make_idmap(const std::vector<IdRange>& uids, const std::vector<IdRange>& gids) {
  clone_args args = {};
  args.flags = CLONE_NEWUSER;
  args.exit_signal = 0;  // no SIGCHLD: waited for with __WALL
  const pid_t pid = clone3(args);
  if (pid < 0) return Error::sys(errno, "clone a user namespace for an idmapped mount");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  Result<Fd> ns = fill_namespace(pid, uids, gids);
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  return std::move(ns).ctx("idmap");
}

}  // namespace slipway::sys
