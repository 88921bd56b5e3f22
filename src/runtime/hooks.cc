#include "src/runtime/hooks.h"

#include <cstdio>
#include <cstring>

#include "src/runtime/child_steps.h"
#include "src/runtime/runtime.h"
#include "src/runtime/spawn.h"

namespace slipway::runtime {

namespace {

char* const* strings(const List<Str>& list, Arena& arena) {
  char** result = static_cast<char**>(arena.allocate((list.size() + 1) * sizeof(char*), alignof(char*)));
  for (uint32_t i = 0; i < list.size(); ++i) result[i] = const_cast<char*>(list[i].c_str());
  return result;
}

const char* annotation(const oci::Spec& spec, const char* name) {
  const Str* value = spec.annotations.find(name);
  return value && !value->empty() ? value->c_str() : nullptr;
}

HookPlan plan_hook(const oci::Hook& hook, bool outlives_us, Arena& arena) {
  HookPlan plan;
  plan.path = hook.path.c_str();
  plan.outlives_us = outlives_us;
  if (hook.args.empty()) {
    char** argv = static_cast<char**>(arena.allocate(2 * sizeof(char*), alignof(char*)));
    argv[0] = const_cast<char*>(plan.path);
    plan.argv = argv;
  } else {
    plan.argv = strings(hook.args, arena);
  }
  // An empty list is an empty environment; an absent one is another matter.
  if (hook.env) plan.env = strings(hook.env.value, arena);
  if (hook.timeout) plan.timeout_ms = hook.timeout.value * 1000;
  return plan;
}

}  // namespace

HookListPlan plan_hooks(const oci::Spec& spec, const char* kind, const List<oci::Hook>& hooks, Arena& arena) {
  HookListPlan plan;
  if (hooks.empty()) return plan;
  plan.action = arena.format("error running %s hook", kind).c_str();
  const List<HookPlan> plans = arena.list<HookPlan>(hooks.size());
  // A container that is being made goes with whoever makes it, and so does what its hooks do for it. Those of one
  // that has gone clean up, and no other command would run them again.
  const bool outlive_us = std::string_view(kind) == "poststop";
  for (uint32_t i = 0; i < hooks.size(); ++i) plans[i] = plan_hook(hooks[i], outlive_us, arena);
  plan.hooks = plans.items;
  plan.count = plans.size();
  plan.output = annotation(spec, "run.oci.hooks.stdout");
  plan.errors = annotation(spec, "run.oci.hooks.stderr");
  plan.message = static_cast<char*>(arena.allocate(kHookMessageRoom, 1));
  return plan;
}

HookStatePlan plan_hook_state(const State& state, const char* status, Arena& arena) {
  json::Writer out;
  out.begin_object();
  out.key("ociVersion").string(static_cast<const char*>(oci::kRuntimeSpecVersion));
  out.key("id").string(state.id);
  out.key("status").string(status);
  out.key("pid").raw("          ");
  out.key("bundle").string(state.bundle);
  out.key("rootfs").string(state.rootfs);
  out.key("annotations").begin_object();
  for (const auto& [name, value] : state.annotations) out.key(name).string(value);
  out.end_object().end_object();
  const Str text = arena.copy(out.text());
  HookStatePlan plan;
  plan.text = const_cast<char*>(text.c_str());
  plan.size = static_cast<uint32_t>(text.size);
  plan.pid_offset = static_cast<uint32_t>(text.view().find("\"pid\":          ") + strlen("\"pid\":"));
  set_hook_pid(plan, 0);
  return plan;
}

Status run_hooks(const HookListPlan& list, const HookStatePlan& state) {
  const child::Outcome outcome = child::run_hooks(list, state);
  if (outcome.ok()) return {};
  Failure failure;
  child::describe(outcome, &failure);
  return to_error(failure);
}

}  // namespace slipway::runtime
