#include "src/sys/userns.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "src/sys/file.h"

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

}  // namespace

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
  const std::string path = "/proc/" + std::to_string(pid) + "/uid_map";
  const std::string map = TRY(read_file_at(AT_FDCWD, path.c_str(), 64 * 1024));
  unsigned inside, outside, count;
  int size;
  for (const char* at = map.c_str(); sscanf(at, "%u %u %u%n", &inside, &outside, &count, &size) == 3;
       at += size)
    if (uid >= inside && uid - inside < count) return outside + (uid - inside);
  return Error::of(ErrorKind::not_found, "user %u is not in `%s`", uid, path.c_str());
}

}  // namespace slipway::sys
