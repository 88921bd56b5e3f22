// The cgroup file systems: what is mounted, who is where, and the few operations that v1 and v2 share.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::sys {

enum class CgroupVersion : uint8_t { none, v1, v2 };

/// Which kind of cgroup file system this is on, by statfs. /sys/fs/cgroup itself is often a tmpfs, on which a
/// careless mkdir or O_CREAT succeeds and limits nothing: ask before writing.
CgroupVersion cgroup_version(int fd);
CgroupVersion cgroup_version(const char* path);

/// One line of /proc/PID/cgroup.
struct CgroupMembership {
  std::string controllers;  // "memory", "cpu,cpuacct", "name=systemd"; "" for v2
  std::string path;         // below the root of the reader's cgroup namespace: "/a/b"
};
/// ErrorKind::invalid for text that is no such file.
Result<std::vector<CgroupMembership>> parse_memberships(std::string_view text);
/// Of a process; 0 is the caller.
Result<std::vector<CgroupMembership>> read_memberships(pid_t pid);

/// One cgroup mount of /proc/self/mountinfo.
struct CgroupMount {
  std::string controllers;  // as in CgroupMembership, from the super block's options
  std::string directory;
  std::string root;  // the cgroup that is mounted there, "/" for the whole hierarchy
};
/// Lines of other file systems, and broken ones, are passed over.
std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo);

/// A hierarchy that the caller is in and can reach.
struct CgroupHierarchy {
  CgroupVersion version = CgroupVersion::none;
  std::string controllers;  // as in CgroupMembership
  std::string mount;        // its mount point, without a slash at the end
  std::string own;          // the caller's cgroup below the mount point: "" (its root) or "/a/b"

  bool has(std::string_view controller) const;
};
/// All hierarchies: v1 ones in the kernel's order (the newest first), then the v2 tree. On a v2 system that
/// is the single tree at /sys/fs/cgroup. The usual places are tried before mountinfo is read, which is long
/// on a busy host. Empty when there are none.
Result<std::vector<CgroupHierarchy>> find_hierarchies();

/// True when the comma-separated list has the word.
bool list_has(std::string_view list, std::string_view word);

/// Appends the processes of a cgroup and of all below it.
Status collect_processes(int directory, std::vector<pid_t>& pids);

/// Removes a cgroup and all below it, once. 0, or the errno of the last rmdir that failed: EBUSY while there
/// are processes in it. A missing one is a success.
int remove_cgroup_tree(const char* path);

}  // namespace slipway::sys
