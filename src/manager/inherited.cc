#include "src/manager/inherited.h"

#include <poll.h>

#include "src/sys/kernel.h"

namespace slipway::manager {

Inherited Inherited::now() {
  // One call tells which of many descriptors are open: the others are POLLNVAL.
  pollfd fds[kCount] = {};
  for (int i = 0; i < kCount; ++i) fds[i].fd = i;
  Inherited inherited;
  if (poll(fds, kCount, 0) < 0) return inherited;
  for (int i = 3; i < kCount; ++i) inherited.open_[static_cast<size_t>(i)] = !(fds[i].revents & POLLNVAL);
  return inherited;
}

void Inherited::close_all() const {
  for (int i = 3; i < kCount; ++i)
    if (open_[static_cast<size_t>(i)]) close(i);
  sys::close_range(kCount, ~0U, 0);
}

}  // namespace slipway::manager
