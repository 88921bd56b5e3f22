// Work on images: from the first blob, layer or name that is made or taken away to the last one.
//
// While it lasts, blobs and layers may be there that no image needs yet or needs no more. What is left of them
// when a process dies on the way is recognised by the mark that it leaves in tmp/.
#pragma once

#include <string>

#include "src/store/root.h"

namespace slipway::store {

/// Held by whoever works; several may at once.
class Work {
 public:
  /// Waits while somebody has the store for himself.
  static Result<Work> begin(const Root& root);
  Work(Work&&) noexcept = default;
  Work& operator=(Work&&) = delete;
  ~Work();

 private:
  Work() = default;
  Lock lock_;
  Fd tmp_;
  std::string mark_;
};

/// Nobody works while this is held. Waits for those who do.
Result<Lock> lock_out_work(const Root& root);
/// An empty Lock when somebody works.
Result<Lock> try_lock_out_work(const Root& root);

/// Is there a mark, of a process that works or has died? One look at a directory that is mostly empty.
Result<bool> work_is_marked(const Root& root);
/// Leaves a mark without working: something of an image has become needless.
Status leave_mark(const Root& root);
/// Removes all marks. The caller has locked out work, so that all are of processes that died.
Status forget_marks(const Root& root);

}  // namespace slipway::store
