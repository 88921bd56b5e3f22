// A container in the making: the steps of create(), most of which restore() takes, too.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "oci/spec.h"
#include "src/runtime/cgroup.h"
#include "src/runtime/hand_over.h"
#include "src/runtime/namespace_plan.h"
#include "src/runtime/pending.h"
#include "src/runtime/plan.h"
#include "src/runtime/runtime.h"
#include "src/runtime/shared_root.h"
#include "src/runtime/spawn.h"
#include "src/sys/seccomp.h"

namespace slipway::runtime {

/// Whatever has been made is removed again unless finish() is reached. The steps are in the order in which they are
/// taken: what may fail for a plain reason fails before anything has been made.
class Creation {
 public:
  /// All must outlive it.
  Creation(const Context& context, std::string_view id, const oci::Spec& spec, std::string_view config_text,
           const CreateOptions& options);
  Creation(const Creation&) = delete;
  ~Creation() {
    if (!finished_) undo();
  }

  Status plan();
  /// The name, and the cgroup.
  Status reserve();
  /// The directory, with all but the state. After reserve(), before converse().
  Status furnish();
  Status spawn();
  Status stage();
  Status converse();
  Status publish();
  Status let_go();
  Created finish();

 protected:
  Status plan_child();
  void plan_state();
  void plan_outer_hooks();
  Status make_fifos();
  Status set_up_from_outside();
  Status give_net_devices();
  Status handle(const Packet& packet, Fd fd);
  Status run_outer_hooks();
  void undo();

  const Context& context_;
  const std::string id_;
  const oci::Spec& spec_;
  const oci::Linux& linux_;
  const oci::Hooks& hooks_;
  const std::string_view config_text_;
  const CreateOptions& options_;

  Arena arena_;
  std::vector<Fd> keep_;
  NamespacePlan namespaces_;
  sys::SeccompProgram seccomp_;
  HookListPlan prestart_, create_runtime_, poststart_, poststop_;
  HookStatePlan stopped_;
  ChildPlan* plan_ = arena_.make<ChildPlan>();
  SpawnRequest request_;
  State state_;

  std::vector<sys::CgroupHierarchy> hierarchies_;
  std::unique_ptr<Cgroup> cgroup_;
  Fd cgroup_directory_;
  HandOver hand_over_;
  Fd start_fifo_, result_fifo_;
  Pending pending_;
  Fd directory_;
  std::unique_ptr<Child> child_;
  BareRoot bare_root_;  // of a container without a mount namespace of its own
  bool reserved_ = false;
  bool staged_ = false;
  bool in_cgroup_ = false;
  bool hooks_ran_ = false;
  bool finished_ = false;
};

}  // namespace slipway::runtime
