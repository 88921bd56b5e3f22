// Statistics as runc's `events` prints them: what is 0 is left out, except where readers count on it.
#include "src/base/json.h"
#include "src/runtime/stats.h"

namespace slipway::runtime {
namespace {

using json::Writer;

void put(Writer& json, const char* key, uint64_t value) {
  if (value) json.key(key).unsigned_integer(value);
}
void always(Writer& json, const char* key, uint64_t value) {
  json.key(key).unsigned_integer(value);
}

template <class T>
void put_list(Writer& json, const char* key, const std::vector<T>& values) {
  if (values.empty()) return;
  json.key(key).begin_array();
  for (const T& value : values) json.unsigned_integer(value);
  json.end_array();
}

void put_pressure(Writer& json, const std::optional<Pressure>& pressure) {
  if (!pressure) return;
  json.key("psi").begin_object();
  for (const auto& [key, line] : {std::pair("some", &pressure->some), std::pair("full", &pressure->full)}) {
    json.key(key).begin_object();
    json.key("avg10").real(line->avg10);
    json.key("avg60").real(line->avg60);
    json.key("avg300").real(line->avg300);
    always(json, "total", line->total);
    json.end_object();
  }
  json.end_object();
}

void put_cpu(Writer& json, const CpuStats& cpu) {
  json.key("cpu").begin_object();
  json.key("usage").begin_object();
  put(json, "total", cpu.total);
  put_list(json, "percpu", cpu.per_cpu);
  put_list(json, "percpu_kernel", cpu.per_cpu_kernel);
  put_list(json, "percpu_user", cpu.per_cpu_user);
  always(json, "kernel", cpu.kernel);
  always(json, "user", cpu.user);
  json.end_object();
  json.key("throttling").begin_object();
  put(json, "periods", cpu.periods);
  put(json, "throttledPeriods", cpu.throttled_periods);
  put(json, "throttledTime", cpu.throttled_time);
  json.end_object();
  put_pressure(json, cpu.pressure);
  json.end_object();
}

void put_cpuset(Writer& json, const CpusetStats& cpuset) {
  json.key("cpuset").begin_object();
  put_list(json, "cpus", cpuset.cpus);
  always(json, "cpu_exclusive", cpuset.cpu_exclusive);
  put_list(json, "mems", cpuset.mems);
  always(json, "mem_hardwall", cpuset.mem_hardwall);
  always(json, "mem_exclusive", cpuset.mem_exclusive);
  always(json, "memory_migrate", cpuset.memory_migrate);
  always(json, "memory_spread_page", cpuset.memory_spread_page);
  always(json, "memory_spread_slab", cpuset.memory_spread_slab);
  always(json, "memory_pressure", cpuset.memory_pressure);
  always(json, "sched_load_balance", cpuset.sched_load_balance);
  json.key("sched_relax_domain_level").integer(cpuset.sched_relax_domain_level);
  json.end_object();
}

void put_counter(Writer& json, const char* key, const MemoryCounter& counter) {
  json.key(key).begin_object();
  always(json, "limit", counter.limit);
  put(json, "usage", counter.usage);
  put(json, "max", counter.max);
  always(json, "failcnt", counter.failures);
  json.end_object();
}

void put_memory(Writer& json, const MemoryStats& memory) {
  json.key("memory").begin_object();
  put(json, "cache", memory.cache);
  put_counter(json, "usage", memory.usage);
  put_counter(json, "swap", memory.swap);
  put_counter(json, "kernel", memory.kernel);
  put_counter(json, "kernelTCP", memory.kernel_tcp);
  if (!memory.raw.empty()) {
    json.key("raw").begin_object();
    for (const auto& [key, value] : memory.raw) json.key(key).unsigned_integer(value);
    json.end_object();
  }
  put_pressure(json, memory.pressure);
  json.end_object();
}

void put_entries(Writer& json, const char* key, const std::vector<BlockIoEntry>& entries) {
  if (entries.empty()) return;
  json.key(key).begin_array();
  for (const BlockIoEntry& entry : entries) {
    json.begin_object();
    put(json, "major", entry.major);
    put(json, "minor", entry.minor);
    if (!entry.operation.empty()) json.key("op").string(entry.operation);
    put(json, "value", entry.value);
    json.end_object();
  }
  json.end_array();
}

void put_block_io(Writer& json, const BlockIoStats& io) {
  json.key("blkio").begin_object();
  put_entries(json, "ioServiceBytesRecursive", io.service_bytes);
  put_entries(json, "ioServicedRecursive", io.serviced);
  put_entries(json, "ioQueueRecursive", io.queued);
  put_entries(json, "ioServiceTimeRecursive", io.service_time);
  put_entries(json, "ioWaitTimeRecursive", io.wait_time);
  put_entries(json, "ioMergedRecursive", io.merged);
  put_entries(json, "ioTimeRecursive", io.time);
  put_entries(json, "sectorsRecursive", io.sectors);
  put_pressure(json, io.pressure);
  json.end_object();
}

}  // namespace

std::string stats_event(std::string_view id, const Stats& stats) {
  Writer json;
  json.begin_object();
  json.key("type").string("stats");
  json.key("id").string(id);
  json.key("data").begin_object();
  put_cpu(json, stats.cpu);
  put_cpuset(json, stats.cpuset);
  put_memory(json, stats.memory);
  json.key("pids").begin_object();
  put(json, "current", stats.pids.current);
  put(json, "limit", stats.pids.limit);
  json.end_object();
  put_block_io(json, stats.block_io);
  json.key("hugetlb").begin_object();
  for (const HugepageStats& page : stats.hugepages) {
    json.key(page.page_size).begin_object();
    put(json, "usage", page.usage);
    put(json, "max", page.max);
    always(json, "failcnt", page.failures);
    json.end_object();
  }
  json.end_object();
  json.key("intel_rdt").begin_object().end_object();
  json.key("network_interfaces").begin_array().end_array();
  json.end_object();
  json.end_object();
  return std::string(json.text());
}

}  // namespace slipway::runtime
