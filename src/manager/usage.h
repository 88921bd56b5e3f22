// What a running container uses, from its cgroup and its network namespace.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/base/result.h"
#include "src/store/store.h"

namespace slipway::manager {

struct Usage {
  int64_t taken_at = 0;  // monotonic nanoseconds
  uint64_t cpu_ns = 0;   // since its start
  uint64_t memory = 0;   // bytes, without the page cache that could go at once
  uint64_t memory_limit = 0;
  uint64_t pids = 0;
  uint64_t received = 0, sent = 0;  // bytes, all interfaces but lo
  uint64_t block_read = 0, block_written = 0;
};

/// Errors: in_use when it does not run.
Result<Usage> container_usage(store::Store& store, std::string_view id);

}  // namespace slipway::manager
