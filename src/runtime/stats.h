// What a container has used: the numbers of its cgroups, in runc's shape whatever the layout.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"
#include "src/runtime/cgroup.h"

namespace slipway::runtime {

/// Pressure stall information (4.20), v2 only: percentages over 10, 60 and 300 seconds, and microseconds.
struct Pressure {
  struct Line {
    double avg10 = 0, avg60 = 0, avg300 = 0;
    uint64_t total = 0;
  };
  Line some, full;
};

struct CpuStats {
  uint64_t total = 0, kernel = 0, user = 0;  // nanoseconds
  std::vector<uint64_t> per_cpu, per_cpu_kernel, per_cpu_user;
  uint64_t periods = 0, throttled_periods = 0, throttled_time = 0;  // time in nanoseconds
  std::optional<Pressure> pressure;
};

struct CpusetStats {
  std::vector<uint16_t> cpus, mems;
  uint64_t cpu_exclusive = 0, mem_hardwall = 0, mem_exclusive = 0, memory_migrate = 0, memory_spread_page = 0,
           memory_spread_slab = 0, memory_pressure = 0, sched_load_balance = 0;
  int64_t sched_relax_domain_level = 0;
};

/// Bytes. No limit is UINT64_MAX on v2, and what v1 says for it.
struct MemoryCounter {
  uint64_t limit = 0, usage = 0, max = 0, failures = 0;
};
struct MemoryStats {
  uint64_t cache = 0;
  MemoryCounter usage, swap, kernel, kernel_tcp;  // swap: memory and swap together, as on v1
  std::vector<std::pair<std::string, uint64_t>> raw;
  std::optional<Pressure> pressure;
};

struct PidsStats {
  uint64_t current = 0, limit = 0;  // 0: no limit
};

struct BlockIoEntry {
  uint64_t major = 0, minor = 0;
  std::string operation;  // "Read", "Write", ...
  uint64_t value = 0;
};
struct BlockIoStats {
  std::vector<BlockIoEntry> service_bytes, serviced, queued, service_time, wait_time, merged, time, sectors;
  std::optional<Pressure> pressure;
};

struct HugepageStats {
  std::string page_size;
  uint64_t usage = 0, max = 0, failures = 0;
};

struct Stats {
  CpuStats cpu;
  CpusetStats cpuset;
  MemoryStats memory;
  PidsStats pids;
  BlockIoStats block_io;
  std::vector<HugepageStats> hugepages;
};

/// Controllers and files that are not there leave their numbers at 0. not_found: the cgroup is gone.
Result<Stats> read_stats(const Cgroup& cgroup);

/// The event line of `events`, without a newline: {"type":"stats","id":ID,"data":{...}}.
std::string stats_event(std::string_view id, const Stats& stats);

// Parsers of kernel files; hostile input gives partial results.
/// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull ..."
std::optional<Pressure> parse_pressure(std::string_view text);
/// "0-2,7"
std::vector<uint16_t> parse_number_list(std::string_view text);
/// "8:0 Read 4096" lines of v1; lines without operation have it empty; "Total" sums are left out.
std::vector<BlockIoEntry> parse_block_io_v1(std::string_view text);
/// io.stat of v2: bytes and operations of reads and writes.
void parse_io_stat(std::string_view text, BlockIoStats& stats);

}  // namespace slipway::runtime
