#include "src/sys/cap.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "src/base/fd.h"

namespace slipway::sys {

/// CAP_CHECKPOINT_RESTORE (5.9), if the kernel does not tell.
static constexpr int kLastKnownCapability = 40;

int last_capability() {
  const Fd file(open("/proc/sys/kernel/cap_last_cap", O_RDONLY | O_CLOEXEC));
  char text[16] = {};
  if (!file || read(file.get(), text, sizeof text - 1) <= 0) return kLastKnownCapability;
  return atoi(text);
}

}  // namespace slipway::sys
