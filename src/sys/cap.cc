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

uint64_t permitted_capabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  syscall(SYS_capget, &header, data);
  return data[0].permitted | static_cast<uint64_t>(data[1].permitted) << 32;
}

}  // namespace slipway::sys
