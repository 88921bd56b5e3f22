// What /proc/PID/stat says of a process.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "src/base/result.h"

namespace slipway::sys {

struct ProcessStat {
  char state = 'X';         // R, S, D, T, Z, X ...
  uint64_t start_time = 0;  // clock ticks since boot
};

/// not_found: there is no such process.
Result<ProcessStat> read_process_stat(pid_t pid);

}  // namespace slipway::sys
