#include "src/runtime/cgroup.h"

#include <cerrno>

#include "src/runtime/cgroup_fs.h"
#include "src/runtime/cgroup_path.h"
#include "src/runtime/cgroup_systemd.h"
#include "src/runtime/runtime.h"

namespace slipway::runtime {
namespace {

/// --cgroup-manager disabled: no cgroup of its own, and nothing that a limit could be on.
class DisabledCgroup final : public FileCgroup {
 public:
  DisabledCgroup() : FileCgroup(CgroupRecord{}) {}
  Status apply(const oci::Resources&) override { return {}; }
};

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::vector<FileCgroup::Tree> plan_trees(const std::vector<sys::CgroupHierarchy>& hierarchies,
                                         const CgroupPlace& place) {
  std::vector<FileCgroup::Tree> trees;
  const bool pure_v2 = hierarchies.size() == 1 && hierarchies[0].version == sys::CgroupVersion::v2;
  for (const sys::CgroupHierarchy& hierarchy : hierarchies) {
    std::string base = hierarchy.mount;
    // On v2 the caller's own cgroup has a process in it, and so cannot enable controllers for children: the
    // container's goes beside it.
    if (place.below_own) base += pure_v2 ? parent_of(hierarchy.own) : hierarchy.own;
    if (place.path != "/") base += place.path;
    trees.push_back({hierarchy.version, hierarchy.controllers, hierarchy.mount, std::move(base)});
  }
  return trees;
}

/// A caller without root's rights has a manager of its own.
bool has_user_manager() {
  return is_rootless();
}

Result<std::unique_ptr<Cgroup>> plan_systemd_cgroup(std::string_view id, const oci::Spec& spec,
                                                    const std::vector<sys::CgroupHierarchy>& hierarchies) {
  const std::string_view wanted = spec.linux_ ? spec.linux_->cgroups_path.view() : std::string_view();
  const bool user = has_user_manager();
  SystemdPlace place = TRY(plan_systemd_place(wanted, id, user));
  std::vector<FileCgroup::Tree> trees = plan_trees(hierarchies, {false, "/"});
  return std::unique_ptr<Cgroup>(new SystemdCgroup(spec, id, std::move(place), std::move(trees), user));
}

Result<std::unique_ptr<Cgroup>> plan_any(const Context& context, std::string_view id, const oci::Spec& spec,
                                         const std::vector<sys::CgroupHierarchy>& hierarchies) {
  if (context.cgroup_disabled) return std::unique_ptr<Cgroup>(new DisabledCgroup());
  if (context.systemd_cgroup) return plan_systemd_cgroup(id, spec, hierarchies);
  const std::string_view wanted = spec.linux_ ? spec.linux_->cgroups_path.view() : std::string_view();
  const CgroupPlace place = plan_cgroup_path(wanted, id);
  std::vector<FileCgroup::Tree> trees = plan_trees(hierarchies, place);
  std::string path = place.path;
  if (place.below_own && !trees.empty()) {
    const FileCgroup::Tree& any = trees.back();
    path = any.directory.substr(any.mount.size());
  }
  return std::unique_ptr<Cgroup>(new FileCgroup(spec, std::move(path), std::move(trees)));
}

/// On v1 a cgroup cannot be handed over.
Status check_annotation(const Context& context, const Cgroup& cgroup, const oci::Spec& spec,
                        const char* name) {
  const Str* const value = spec.annotations.find(name);
  if (!value || value->empty() || cgroup.layout() == Cgroup::Layout::v2) return {};
  // crun has systemd only by an option of its own, too.
  if (std::string_view(name) == kSubgroupAnnotation && !context.systemd_cgroup) return {};
  return Error::of(ErrorKind::unsupported, "annotations[%s]: needs cgroup v2", name);
}

}  // namespace

Result<std::unique_ptr<Cgroup>> plan_cgroup(const Context& context, std::string_view id,
                                            const oci::Spec& spec,
                                            const std::vector<sys::CgroupHierarchy>& hierarchies) {
  std::unique_ptr<Cgroup> cgroup = TRY(plan_any(context, id, spec, hierarchies));
  for (const char* name : {kDelegateAnnotation, kSubgroupAnnotation})
    TRY(check_annotation(context, *cgroup, spec, name));
  return cgroup;
}

Result<std::unique_ptr<Cgroup>> open_cgroup(const Context& context, const CgroupRecord& record) {
  std::unique_ptr<FileCgroup> cgroup(record.scope.empty() ? new FileCgroup(record)
                                                          : new SystemdCgroup(record, has_user_manager()));
  cgroup->be_patient_for(context.patience_ms);
  return std::unique_ptr<Cgroup>(std::move(cgroup));
}

}  // namespace slipway::runtime
