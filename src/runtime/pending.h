// What is being made, or owned by a caller in the foreground: <root>/.pending/ID, locked as long as that process
// lives. A killed creator leaves its file behind unlocked; the next command finds it, and removes the cgroup,
// the processes, the mounts and the directory that it names.
#pragma once

#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/runtime/runtime.h"
#include "src/runtime/shared_root.h"

namespace slipway::runtime {

/// A locked record. Dropping it without done() leaves the file to whoever collects next.
class Pending {
 public:
  /// What a killed creator has left of that name is removed. exists: someone else is making one, or it lives.
  static Result<Pending> begin(const Context& context, std::string_view id);

  /// Says what must be removed if the caller is killed. Before it is made.
  Status record(const Context& context, const CgroupRecord& cgroup, const BareRoot& root);
  /// The container is complete, or nothing is left of it.
  void done();
  /// Keeps the lock until the descriptor is closed, and the file until the container is removed.
  Fd keep() { return static_cast<Fd&&>(file_); }
  int fd() const { return file_.get(); }

 private:
  std::string path_;
  Fd file_;
};

/// Collects what killed creators and owners left. Cheap when there is nothing. What cannot be collected is an error only if
/// it is of the name `id`.
Status collect_pending(const Context& context, std::string_view id = {});
/// <root>/.pending/.PID: where the caller moves what it removes. Such a name is no container's.
std::string rubbish_path(const Context& context);
/// Removes the record of a container that has been deleted by another than its owner.
void forget_pending(const Context& context, std::string_view id);

}  // namespace slipway::runtime
