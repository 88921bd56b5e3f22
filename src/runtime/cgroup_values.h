// What config.json's values become in control files. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "oci/spec.h"
#include "src/base/result.h"

namespace slipway::runtime {

/// cpu.shares (2 to 262144, default 1024) as cpu.weight (1 to 10000, default 100). The two defaults and the
/// two ends meet, with a quadratic curve between the logarithms: the older straight line gave the default of
/// 1024 shares a weight of 39, far below a service's 100. 0 is 0: not set.
uint64_t cpu_weight_of_shares(uint64_t shares);

/// blkio.weight (10 to 1000) as io.weight (1 to 10000).
uint64_t io_weight_of_blkio(uint64_t weight);
/// The io.weight of which systemd makes this io.bfq.weight: to 100 the same, then a range of 9900 for one of 900.
uint64_t io_weight_of_bfq(uint64_t weight);

/// The text for a v2 limit: -1 is "max".
std::string limit_text(int64_t value);

/// memory.swap.max out of config.json's swap, which counts memory and swap together. "" when nothing is to
/// be written: neither is given, or only the memory limit. A memory limit of -1 alone lifts swap's too, as on
/// v1. Errors: swap without a memory limit, or below it.
Result<std::string> swap_max_text(Opt<int64_t> limit, Opt<int64_t> swap);

/// "8:0 rbps=1048576"; 0 lifts the limit.
std::string io_max_line(const oci::ThrottleDevice& device, std::string_view key);

/// CPUQuotaPerSecUSec of systemd: microseconds per second, rounded up to its 10 ms steps. quota <= 0:
/// UINT64_MAX.
uint64_t cpu_quota_per_second(int64_t quota, uint64_t period);

/// "2MB", "1GB", "64KB": what the kernel calls its pages in file names.
bool is_page_size(std::string_view text);

}  // namespace slipway::runtime
