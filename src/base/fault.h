// Places where a crash test may kill the process.
#pragma once

namespace slipway {

/// Kills the process by SIGKILL when SLIPWAY_FAULT asks for it: `NAME:N` at the N-th passage of the point
/// NAME, `*:N` at the N-th passage of any. Without the variable it costs one look into the environment. Names
/// are room.action.step, as in "overlay2.commit.linked": the step that has just been done.
void fault_point(const char* name);

}  // namespace slipway
