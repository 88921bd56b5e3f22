#include "src/runtime/cgroup_systemd.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "src/runtime/cgroup_values.h"
#include "src/runtime/systemd_properties.h"
#include "src/sys/cgroup_systemd.h"
#include "src/sys/file.h"

namespace slipway::runtime {
namespace {

using sys::DbusProperty;

/// Annotations win over what is set by default.
void put_over(std::vector<DbusProperty>& properties, std::vector<DbusProperty> more) {
  for (DbusProperty& property : more) {
    std::erase_if(properties, [&](const DbusProperty& old) { return old.first == property.first; });
    properties.push_back(std::move(property));
  }
}

/// The text of a control file, or "".
std::string text_of(const std::string& directory, const char* file) {
  Result<std::string> text = sys::read_file_at(AT_FDCWD, (directory + "/" + file).c_str(), 4096);
  return text.ok() ? std::move(text).value() : std::string();
}

/// systemd has one property for what two values say together, of which an update may name one: the other is the
/// one in force. Without it the next daemon-reload would write something else.
void complete(oci::CpuResources& cpu, const FileCgroup::Tree& tree) {
  const bool has_quota = cpu.quota.value_or(0) != 0, has_period = cpu.period.value_or(0) != 0;
  if (has_quota == has_period) return;
  const std::string both =
      tree.version == sys::CgroupVersion::v2
          ? text_of(tree.directory, "cpu.max")
          : text_of(tree.directory, "cpu.cfs_quota_us") + " " + text_of(tree.directory, "cpu.cfs_period_us");
  char quota[24];
  uint64_t period = 0;
  if (sscanf(both.c_str(), "%23s %" SCNu64, quota, &period) != 2) return;
  if (!has_quota) cpu.quota = strcmp(quota, "max") == 0 ? -1 : strtoll(quota, nullptr, 10);
  if (!has_period) cpu.period = period;
}

void complete(oci::MemoryResources& memory, const FileCgroup::Tree& tree) {
  if (tree.version != sys::CgroupVersion::v2 || memory.limit.value_or(0) != 0 || memory.swap.value_or(0) <= 0)
    return;
  const int64_t limit = strtoll(text_of(tree.directory, "memory.max").c_str(), nullptr, 10);  // 0: "max"
  if (limit > 0) memory.limit = limit;
}

bool has_v1(const std::vector<FileCgroup::Tree>& trees) {
  return std::any_of(trees.begin(), trees.end(),
                     [](const auto& tree) { return tree.version == sys::CgroupVersion::v1; });
}

}  // namespace

SystemdCgroup::SystemdCgroup(const oci::Spec& spec, std::string_view id, SystemdPlace place,
                             std::vector<Tree> hierarchies, bool user)
    : FileCgroup(spec, "", std::move(hierarchies)), id_(id), place_(std::move(place)), user_(user) {
  scope_ = place_.unit;
  path_ = place_.slice_path + "/" + place_.unit;
  for (Tree& tree : trees_) tree.directory = tree.mount + path_;
}

/// Nothing can be made before there is a process: a scope is made of one.
Result<Fd> SystemdCgroup::prepare() {
  return Fd();
}

Status SystemdCgroup::start_unit(pid_t pid) {
  const bool v2 = !has_v1(trees_);
  std::vector<DbusProperty> properties;
  properties.emplace_back("Description", "slip container " + id_);
  if (place_.unit_is_slice) {
    properties.emplace_back("Wants", std::vector<std::string>{place_.slice});
  } else {
    properties.emplace_back("Slice", place_.slice);
    properties.emplace_back("PIDs", std::vector<uint32_t>{static_cast<uint32_t>(pid)});
    // The control files below are the container's and slip's.
    properties.emplace_back("Delegate", true);
    // A scope of a container that ended badly is not kept as "failed", in the way of the next of its name.
    properties.emplace_back("CollectMode", std::string("inactive-or-failed"));
  }
  properties.emplace_back("DefaultDependencies", false);
  for (const char* name : {"MemoryAccounting", "CPUAccounting", "TasksAccounting"})
    properties.emplace_back(name, true);
  properties.emplace_back(v2 ? "IOAccounting" : "BlockIOAccounting", true);
  const oci::Resources* resources = spec_->linux_ ? spec_->linux_->resources : nullptr;
  if (resources) put_over(properties, TRY(resource_properties(*resources, v2)));
  // A user's manager may not filter devices.
  if (!user_)
    for (DbusProperty& property :
         TRY(device_properties(resources ? resources->devices : List<oci::DeviceRule>())))
      properties.push_back(std::move(property));
  put_over(properties, TRY(annotation_properties(spec_->annotations)));

  sys::SystemdManager manager = TRY(sys::SystemdManager::connect(user_));
  std::vector<std::string> dropped;
  TRY(manager.start_unit(scope_, std::move(properties), dropped));
  for (Tree& tree : trees_) tree.owned = true;
  if (place_.unit_is_slice) path_ = TRY(manager.control_group()) + TRY(expand_slice(place_.unit));
  return {};
}

/// Where the unit is: systemd's own root may be below that of the hierarchy, in a container or for a user.
Status SystemdCgroup::find_directories(pid_t pid) {
  if (!place_.unit_is_slice)
    for (const sys::CgroupMembership& line : TRY(sys::read_memberships(pid)))
      if ((line.controllers.empty() || line.controllers == "name=systemd") && line.path.ends_with(scope_))
        path_ = line.path;
  for (Tree& tree : trees_) tree.directory = tree.mount + path_;
  return {};
}

/// The container's own cgroup is then below the unit's.
Status SystemdCgroup::enter_subgroup(pid_t pid) {
  const std::string name = annotation(kSubgroupAnnotation);
  if (name.empty()) return {};
  trees_.front() = TRY(enter_below(trees_.front(), name, pid).ctx("annotations[%s]", kSubgroupAnnotation));
  path_ += "/" + name;
  return {};
}

Result<std::vector<Fd>> SystemdCgroup::join(pid_t pid, bool) {
  TRY(start_unit(pid));
  TRY(find_directories(pid));
  // A slice takes no processes from systemd, and of v1 hierarchies it uses only some.
  if (!has_v1(trees_) && !place_.unit_is_slice) {
    started_ = true;
    TRY(enter_subgroup(pid));
    TRY(delegate());
    return std::vector<Fd>();
  }
  for (const Tree& tree : trees_) {
    bool existed = false;
    TRY(make_tree(tree, existed));
    TRY(write_pid(tree.directory, pid));
  }
  started_ = true;
  if (!has_v1(trees_)) TRY(enter_subgroup(pid));
  return std::vector<Fd>();
}

Result<std::vector<DbusProperty>> SystemdCgroup::update_properties(const oci::Resources& resources) const {
  oci::Resources whole = resources;
  oci::CpuResources cpu;
  oci::MemoryResources memory;
  if (const Tree* tree = tree_of("cpu"); tree && resources.cpu) {
    cpu = *resources.cpu;
    complete(cpu, *tree);
    whole.cpu = &cpu;
  }
  if (const Tree* tree = tree_of("memory"); tree && resources.memory) {
    memory = *resources.memory;
    complete(memory, *tree);
    whole.memory = &memory;
  }
  std::vector<DbusProperty> properties = TRY(resource_properties(whole, !has_v1(trees_)));
  if (!user_ && !resources.devices.empty())
    for (DbusProperty& property : TRY(device_properties(resources.devices)))
      properties.push_back(std::move(property));
  return properties;
}

Status SystemdCgroup::apply(const oci::Resources& resources) {
  std::vector<DbusProperty> properties;
  if (!started_) properties = TRY(update_properties(resources));
  started_ = false;
  // Where BFQ is, the file of the weight is its own, which systemd writes, too, out of another scale than the one of
  // io.weight. Only now there is a directory to look for it.
  const Tree* const tree = v2_tree();
  if (tree && resources.block_io && resources.block_io->weight.value_or(0) &&
      !text_of(tree->directory, "io.bfq.weight").empty())
    put_over(properties, {{"IOWeight", io_weight_of_bfq(*resources.block_io->weight)}});
  if (!properties.empty()) {
    sys::SystemdManager manager = TRY(sys::SystemdManager::connect(user_));
    TRY(manager.set_properties(scope_, properties));
  }
  return FileCgroup::apply(resources);
}

Status SystemdCgroup::destroy() {
  if (!owns_any()) return {};
  TRY(kill_all());
  Result<sys::SystemdManager> manager = sys::SystemdManager::connect(user_);
  if (manager.ok()) TRY(manager->stop_unit(scope_));
  // What systemd does not know of: other v1 hierarchies, and all of it where systemd is gone.
  return FileCgroup::destroy();
}

}  // namespace slipway::runtime
