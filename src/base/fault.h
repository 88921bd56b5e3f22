// Places where a crash test may kill the process, or stop it while something else happens.
#pragma once

namespace slipway {

/// Kills the process by SIGKILL when SLIPWAY_FAULT asks for it: `NAME:N` at the N-th passage of the point
/// NAME, `*:N` at the N-th passage of any; `NAME:N:stop` sends SIGSTOP. Without the variable it costs one look into the
/// environment, which is that of somebody who may kill the process anyway. A container's child has no such points: it
/// walks its plan (src/runtime/plan.h) and looks into no environment. Names are room.action.step, as in
/// "overlay2.commit.linked": the step that has just been done.
void fault_point(const char* name);

}  // namespace slipway
