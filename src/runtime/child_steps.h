// The steps of child_main.cc, by the file they are in. Nothing here is for the parent.
#pragma once

#include "src/runtime/plan.h"
#include "src/sys/descriptor_passing.h"

namespace slipway::runtime::child {

// --- child_report.cc: talking to the parent

/// The text of an Outcome, as an Error would have it, without the errno's text.
void describe(const Outcome& outcome, Failure* failure);
Outcome tell(const ChildPlan& plan, Note note, int32_t value = 0);
/// Sends a descriptor along.
Outcome tell_with_fd(const ChildPlan& plan, Note note, int fd);
/// Waits for a packet of the parent. When the parent is gone, so is the child.
Packet listen(const ChildPlan& plan);
/// Waits for this one; the descriptors that came with it, `*count` of them, belong to the caller.
void expect_with_fds(const ChildPlan& plan, Note note, int (&fds)[sys::kMaxPassed], uint32_t* count);
void tell_failure(const ChildPlan& plan, const Outcome& outcome);

// --- child_namespaces.cc

/// Joins namespaces by path, or those of a container.
Outcome join_namespaces(const ChildPlan& plan);
/// Be root of the user namespace while the container is built.
Outcome become_root();
Outcome raise_loopback();
Outcome enter_time_namespace(const ChildPlan& plan);

// --- child_proc.cc: /proc without being fooled by what is mounted there (CVE-2019-16884, CVE-2025-52881)

/// A handle to a procfs that is one. Opened while /proc is still the host's; -1 when there is none.
int open_proc();
/// Writes a file below the procfs; no links, no other mounts on the way.
Outcome write_proc(int proc, const char* path, const char* text, size_t size, const char* action);

// --- child_process.cc: who and what the process is

Outcome set_stdio(const ProcessPlan& process);
/// Descriptors of /dev/null become those of the container's own; the others are given to the user.
Outcome own_stdio(const ProcessPlan& process);
Outcome set_limits(const ProcessPlan& process);
Outcome set_scheduling(const ProcessPlan& process);
Outcome drop_bounding_set(const ProcessPlan& process);
Outcome set_user(const ProcessPlan& process, bool in_user_namespace);
Outcome set_capabilities(const ProcessPlan& process);
Outcome make_cwd(const ProcessPlan& process);
Outcome enter_cwd(const ProcessPlan& process);
/// Refuses a working directory outside of the container (CVE-2024-21626).
Outcome check_cwd(const ProcessPlan& process);
Outcome find_home(const ProcessPlan& process);
void reset_signals();

// --- child_exec.cc

/// Finds the program as execvp would, as early as create().
Outcome find_program(const ProcessPlan& process);
/// Returns only when execve fails.
Outcome execute(const ProcessPlan& process);

// --- child_criu.cc

/// Returns only when something fails.
Outcome become_criu(const ChildPlan& plan);

}  // namespace slipway::runtime::child
