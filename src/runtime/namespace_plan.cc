#include "src/runtime/namespace_plan.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <tuple>

#include "src/sys/kernel.h"
#include "src/sys/ns.h"
#include "src/sys/userns.h"

namespace slipway::runtime {

namespace {

std::vector<sys::IdRange> ranges_of(const List<oci::IdMapping>& mappings) {
  std::vector<sys::IdRange> ranges;
  for (const oci::IdMapping& mapping : mappings)
    ranges.push_back({mapping.container_id, mapping.host_id, mapping.size});
  return ranges;
}

bool same_map(std::vector<sys::IdRange> a, std::vector<sys::IdRange> b) {
  const auto key = [](const sys::IdRange& range) {
    return std::tie(range.inside, range.outside, range.count);
  };
  for (auto* map : {&a, &b})
    std::sort(map->begin(), map->end(), [&](const auto& x, const auto& y) { return key(x) < key(y); });
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](const auto& x, const auto& y) { return key(x) == key(y); });
}

/// A namespace that is joined keeps its maps. containerd and CRI-O name them all the same, and cgroups and idmapped
/// mounts go by what is named: so it has to be true.
Status check_maps(const oci::Linux& section, const oci::Namespace& wanted, int ns) {
  const bool uids = !section.uid_mappings.empty();
  const bool gids = !section.gid_mappings.empty();
  if (!uids && !gids) return {};
  const sys::IdMaps maps = TRY(sys::read_id_maps(ns).ctx("`%s`", wanted.path.c_str()));
  const auto differs = [&](const char* property) {
    return Error::of(ErrorKind::invalid, "linux.%s: the user namespace `%s` that is to be joined has others",
                     property, wanted.path.c_str());
  };
  if (uids && !same_map(ranges_of(section.uid_mappings), maps.uids)) return differs("uidMappings");
  if (gids && !same_map(ranges_of(section.gid_mappings), maps.gids)) return differs("gidMappings");
  return {};
}

Status join(const oci::Linux& section, const oci::Namespace& wanted, const sys::NamespaceType& type,
            std::vector<Fd>& keep, NamespacePlan* plan) {
  Fd file = TRY(sys::open_namespace(wanted.path.c_str(), type));
  if (type.flag == CLONE_NEWUSER) TRY(check_maps(section, wanted, file.get()));
  // setns(2) refuses the user namespace that one is in already.
  if (type.flag == CLONE_NEWUSER && sys::is_own_namespace(file.get(), type)) return {};
  if (type.flag == CLONE_NEWUSER) plan->own_user = true;
  plan->joins.push_back({file.get(), type.flag, type.name});
  keep.push_back(std::move(file));
  return {};
}

void make(const sys::NamespaceType& type, NamespacePlan* plan) {
  switch (type.flag) {
    case CLONE_NEWCGROUP:
      plan->make_cgroup = true;
      break;
    case CLONE_NEWTIME:
      plan->make_time = true;
      break;
    case CLONE_NEWUSER:
      plan->own_user = true;
      [[fallthrough]];
    default:
      plan->make |= type.flag;
  }
}

const char* clock_id(std::string_view name) {
  return name == "boottime" ? "7" : "1";  // CLOCK_BOOTTIME, CLOCK_MONOTONIC
}

const char* time_offsets(const oci::Linux& linux_, Arena& arena) {
  if (linux_.time_offsets.empty()) return nullptr;
  std::string text;
  for (const Entry<oci::TimeOffset>& entry : linux_.time_offsets)
    text += std::string(clock_id(entry.key)) + " " + std::to_string(entry.value.secs) + " " +
            std::to_string(entry.value.nanosecs) + "\n";
  return arena.copy(text).c_str();
}

}  // namespace

bool NamespacePlan::two_stages() const {
  for (const NamespaceJoin& join : joins)
    if (join.flag == CLONE_NEWUSER) return true;
  return false;
}

bool has_own_mounts(const oci::Spec& spec) {
  if (!spec.linux_) return false;
  for (const oci::Namespace& ns : spec.linux_->namespaces)
    if (ns.type == "mount") return ns.path.empty();
  return false;
}

Result<NamespacePlan> plan_namespaces(const oci::Spec& spec, std::vector<Fd>& keep) {
  NamespacePlan plan;
  if (!spec.linux_) return plan;
  for (const sys::NamespaceType& type : sys::kNamespaces) {
    for (const oci::Namespace& wanted : spec.linux_->namespaces) {
      if (wanted.type != type.name) continue;
      if (wanted.path.empty()) {
        make(type, &plan);
      } else {
        TRY(join(*spec.linux_, wanted, type, keep, &plan));
      }
    }
  }
  if (plan.makes(CLONE_NEWUSER)) {
    plan.uids = ranges_of(spec.linux_->uid_mappings);
    plan.gids = ranges_of(spec.linux_->gid_mappings);
    if (plan.uids.empty() || plan.gids.empty())
      return Error::of(ErrorKind::invalid,
                       "a new user namespace needs linux.uidMappings and linux.gidMappings");
  }
  if (plan.two_stages()) return plan;
  // Joining a pid namespace changes only where children go: the parent does it.
  for (size_t i = 0; i < plan.joins.size(); ++i) {
    if (plan.joins[i].flag != CLONE_NEWPID) continue;
    plan.pid = plan.joins[i].fd;
    plan.joins.erase(plan.joins.begin() + static_cast<ptrdiff_t>(i));
    break;
  }
  return plan;
}

void apply_namespaces(const NamespacePlan& namespaces, const oci::Spec& spec, Arena& arena, ChildPlan* plan,
                      SpawnRequest* request) {
  const List<NamespaceJoin> joins = arena.list<NamespaceJoin>(namespaces.joins.size());
  for (uint32_t i = 0; i < joins.size(); ++i) joins[i] = namespaces.joins[i];
  plan->joins = joins.items;
  plan->join_count = joins.size();
  plan->two_stages = namespaces.two_stages();
  plan->new_user_namespace = namespaces.makes(CLONE_NEWUSER);
  plan->become_root = namespaces.own_user;
  plan->new_cgroup_namespace = namespaces.make_cgroup;
  plan->new_time_namespace = namespaces.make_time;
  if (namespaces.make_time) plan->time_offsets = time_offsets(*spec.linux_, arena);
  plan->new_network_namespace = namespaces.makes(CLONE_NEWNET);
  plan->new_ipc_namespace = namespaces.makes(CLONE_NEWIPC) && namespaces.own_user;
  plan->clone_flags = namespaces.make & ~static_cast<uint64_t>(CLONE_NEWNET);
  if (plan->new_ipc_namespace) plan->clone_flags &= ~static_cast<uint64_t>(CLONE_NEWIPC);
  request->clone_flags = plan->two_stages ? 0 : plan->clone_flags;
  request->pid_namespace = namespaces.pid;
}

}  // namespace slipway::runtime
