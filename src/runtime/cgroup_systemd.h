// The cgroup managed by systemd: a transient scope, or slice, made over D-Bus with the container's init in it.
// What systemd has no property for is written to the control files, as with the other managers; the unit is
// delegated, so systemd leaves them alone.
#pragma once

#include <string>
#include <vector>

#include "src/runtime/cgroup_fs.h"
#include "src/runtime/cgroup_path.h"
#include "src/sys/cgroup_systemd.h"

namespace slipway::runtime {

class SystemdCgroup final : public FileCgroup {
 public:
  /// Of a container to be created; trees without directories yet. The Spec must outlive the object.
  SystemdCgroup(const oci::Spec& spec, std::string_view id, SystemdPlace place, std::vector<Tree> hierarchies,
                bool user);
  /// Of an existing one.
  SystemdCgroup(const CgroupRecord& record, bool user) : FileCgroup(record), user_(user) {}

  Result<Fd> prepare() override;
  Result<std::vector<Fd>> join(pid_t pid, bool entered) override;
  Status apply(const oci::Resources& resources) override;
  Status destroy() override;

 private:
  Status start_unit(pid_t pid);
  Status find_directories(pid_t pid);
  Status enter_subgroup(pid_t pid);
  Result<std::vector<sys::DbusProperty>> update_properties(const oci::Resources& resources) const;

  std::string id_;
  SystemdPlace place_;
  bool user_ = false;     // the caller's manager, not the system's
  bool started_ = false;  // just now, with all the limits
};

}  // namespace slipway::runtime
