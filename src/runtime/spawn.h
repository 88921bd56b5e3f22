// The parent's side of a child: the clone and the conversation. See child_main.cc for the other side.
#pragma once

#include <vector>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/runtime/plan.h"

namespace slipway::runtime {

struct SpawnRequest {
  uint64_t clone_flags = 0;    // CLONE_NEW* of the first clone
  int cgroup = -1;             // directory for CLONE_INTO_CGROUP
  int pid_namespace = -1;      // to be born into; a file of it or a pidfd
  std::vector<int> close_fds;  // of the parent, which the child must not hold
};

/// A child in the making. Destroying it before release() kills it and reaps it.
class Child {
 public:
  /// Clones; the child starts to walk the plan. plan.parent is set here.
  static Result<Child> spawn(ChildPlan& plan, const SpawnRequest& request);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  /// The clone was done with CLONE_INTO_CGROUP, or none was asked for.
  bool in_cgroup() const { return in_cgroup_; }

  Status send(Note note, int32_t value = 0);
  Status send(Note note, const std::vector<Fd>& fds);
  /// The next packet; *fd gets the descriptor that came with it. A failure of the child, and its death, are errors.
  Result<Packet> receive(Fd* fd = nullptr);
  /// After Note::execute: until the program is executed, or could not be.
  Status await_execution();
  /// The container's process, cloned by the first stage, is the child from now on, and told so.
  Status adopt(pid_t pid);
  /// Lives on without the parent.
  Fd release();
  /// Until it has ended by itself.
  void wait();

 private:
  Child() = default;
  pid_t pid_ = 0;
  Fd pidfd_;
  Fd socket_;
  bool in_cgroup_ = true;
};

/// process.oomScoreAdj. Written for the child, which may not have the right to. An ordinary user's container does
/// without a score that only CAP_SYS_RESOURCE may set.
Status set_oom_score(pid_t pid, int score);
/// Gives the standard streams to the user of a process in the user namespace of `pid`, so that it can open
/// /dev/stdout again: inside it has no right to do so itself (see own_stdio). Where that fails, they stay.
void give_stdio(pid_t pid, const ProcessPlan& process);

/// An Error of what the child reported.
Error to_error(const Failure& failure);

}  // namespace slipway::runtime
