#include "src/runtime/cgroup_delegate.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "src/sys/file.h"

namespace slipway::runtime {
namespace {

bool has_new_namespace(const oci::Spec& spec, std::string_view type) {
  for (const oci::Namespace& one : spec.linux_->namespaces)
    if (one.type == type) return one.path.empty();
  return false;
}

bool has_writable_cgroups(const oci::Spec& spec) {
  for (const oci::Mount& mount : spec.mounts) {
    if (!(mount.type == "cgroup") && !(mount.type == "cgroup2")) continue;
    bool read_only = false;
    for (const Str& option : mount.options) {
      if (option == "ro" || option == "rro") read_only = true;
      if (option == "rw") read_only = false;
    }
    if (!read_only) return true;
  }
  return false;
}

Status chown_at(const ControlDirectory& directory, const char* file, uid_t owner) {
  if (fchownat(directory.fd(), file, owner, static_cast<gid_t>(-1), AT_SYMLINK_NOFOLLOW) == 0) return {};
  if (errno == ENOENT) return {};
  return Error::sys(errno, "give `%s/%s` to user %u", directory.path().c_str(), file, owner);
}

}  // namespace

Opt<uid_t> cgroup_owner(const oci::Spec& spec) {
  if (!spec.linux_ || !spec.process) return {};
  if (!has_new_namespace(spec, "user") || !has_new_namespace(spec, "cgroup") || !has_writable_cgroups(spec))
    return {};
  const uint32_t uid = spec.process->user.uid;
  for (const oci::IdMapping& map : spec.linux_->uid_mappings)
    if (uid >= map.container_id && uid - map.container_id < map.size)
      return static_cast<uid_t>(map.host_id + (uid - map.container_id));
  return {};
}

Status delegate_cgroup(const ControlDirectory& directory, uid_t owner) {
  Result<std::string> list = sys::read_file_at(AT_FDCWD, "/sys/kernel/cgroup/delegate", 64 * 1024);
  const std::string files =
      list.ok() ? std::move(list).value() : "cgroup.procs\ncgroup.threads\ncgroup.subtree_control\n";
  TRY(chown_at(directory, ".", owner));
  for (std::string_view rest = files; !rest.empty();) {
    const size_t end = rest.find('\n');
    const std::string file(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!file.empty() && file.find('/') == std::string::npos) TRY(chown_at(directory, file.c_str(), owner));
  }
  return {};
}

}  // namespace slipway::runtime
