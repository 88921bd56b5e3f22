// What --init of slipway puts before a container's program: the smallest init. slip is that when it is called
// docker-init; being static, it runs in every image.
#pragma once

namespace slipway::cli {

/// Whether the program was called by the name of the init.
bool called_as_init(const char* program);

/// docker-init [--] COMMAND [ARG...]: starts the command, passes signals on to it, reaps what is orphaned, and
/// ends as the command ends. Returns the exit code: 127 and 126 when it cannot be executed.
int run_init(int argc, char* const* argv);

}  // namespace slipway::cli
