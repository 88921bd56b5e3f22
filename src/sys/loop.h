// Loop devices.
#pragma once

#include <string>

#include "src/base/fd.h"
#include "src/base/result.h"

namespace slipway::sys {

struct LoopDevice {
  std::string path;  // /dev/loopN
  Fd fd;             // keeps it; when nobody has it open any more, it goes
};

/// A loop device over `file` (opened read-write), detached by the kernel when its last user closes it.
Result<LoopDevice> attach_loop(int file, const char* file_name);

}  // namespace slipway::sys
