// Hooks: programs that the config.json names for points of a container's life. They read the state as JSON.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/runtime/plan.h"

namespace slipway::runtime {

struct State;

/// Ready to be executed; `state` is what they read.
HookListPlan plan_hooks(const oci::Spec& spec, const char* kind, const List<oci::Hook>& hooks, Arena& arena);
/// The state JSON with room for the pid.
HookStatePlan plan_hook_state(const State& state, const char* status, Arena& arena);
/// Right-aligned in the room that was kept. Allocates nothing: the child does it, too.
void set_hook_pid(const HookStatePlan& state, pid_t pid);

/// Runs them in order, in the caller's namespaces. The first that fails ends it.
Status run_hooks(const HookListPlan& list, const HookStatePlan& state);

namespace child {
/// The same on the child's side.
Outcome run_hooks(const HookListPlan& list, const HookStatePlan& state);
}  // namespace child

}  // namespace slipway::runtime
