#include "src/cli/slip/state_json.h"

#include "oci/spec.h"

namespace slipway::cli {

pid_t shown_pid(const runtime::State& state) {
  return state.status == runtime::ContainerStatus::stopped ? 0 : state.pid;
}

void write_state(json::Writer& out, const runtime::State& state) {
  out.begin_object();
  out.key("ociVersion").string(oci::kRuntimeSpecVersion);
  out.key("id").string(state.id);
  out.key("pid").integer(shown_pid(state));
  out.key("status").string(runtime::to_string(state.status));
  out.key("bundle").string(state.bundle);
  out.key("rootfs").string(state.rootfs);
  out.key("created").string(state.created);
  if (!state.annotations.empty()) {
    out.key("annotations").begin_object();
    for (const auto& [key, value] : state.annotations) out.key(key).string(value);
    out.end_object();
  }
  out.key("owner").string(state.owner);
  if (!state.cgroup.scope.empty()) out.key("systemd-scope").string(state.cgroup.scope);
  out.end_object();
}

}  // namespace slipway::cli
