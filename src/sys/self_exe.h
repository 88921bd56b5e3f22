// The program's own binary, kept out of reach of the containers it starts (CVE-2019-5736).
//
// A process of a container can open the runtime's binary through /proc/PID/exe while the runtime is inside
// the container, or by naming /proc/self/exe as the container's program, and write to it later as root of the
// host. The defence is to run from a view of the binary that nobody can write: see protect_self().
#pragma once

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::sys {

/// Returns when the running binary is out of reach: on a read-only mount (whoever mounted it), or in a sealed
/// memfd. Else executes the same binary again through such a view, with these arguments, and does not return;
/// the new program calls this again and goes on. To be called before any descriptor or thread of value
/// exists.
///
/// The view is a detached, read-only clone of the mount that the binary is on (open_tree 5.2,
/// mount_setattr 5.12): no copy, no memory. Its descriptor is closed by execve, and with it goes the last
/// handle by which the mount could be made writable again; a mount without a namespace cannot be named in
/// mount_setattr or cloned, not even by root. Where mounts cannot be cloned (no CAP_SYS_ADMIN over the mount
/// namespace, old kernel), it is a sealed memfd with a copy of the binary. Neither guards against a container
/// that may mount the host's disks: that one owns the host.
Status protect_self(char* const argv[], char* const envp[]);

/// The same for the program `path`, to be executed by execveat(2) in a child: such a view of it, or the binary if it is
/// out of reach already.
Result<Fd> protected_program(const char* path);

/// That of the running program.
constexpr char kSelf[] = "/proc/self/exe";

}  // namespace slipway::sys
