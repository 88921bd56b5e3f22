// Reading a container's statistics from its cgroups.
#include "src/runtime/stats.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "src/runtime/cgroup_control.h"
#include "src/runtime/cgroup_values.h"
#include "src/sys/directory.h"

namespace slipway::runtime {
namespace {

constexpr uint64_t kNanosPerMicro = 1000;

/// A cgroup of which files may be missing.
class Source {
 public:
  explicit Source(ControlDirectory directory) : directory_(std::move(directory)) {}

  bool v1() const { return directory_.version() == sys::CgroupVersion::v1; }
  int fd() const { return directory_.fd(); }
  std::string text(const std::string& file) const {
    Result<std::string> text = directory_.read(file.c_str());
    return text.ok() ? std::move(text).value() : std::string();
  }
  /// "max" is UINT64_MAX.
  uint64_t number(const std::string& file) const {
    const std::string content = text(file);
    if (content.starts_with("max")) return UINT64_MAX;
    uint64_t value = 0;
    std::from_chars(content.data(), content.data() + content.size(), value);
    return value;
  }
  int64_t signed_number(const std::string& file) const {
    const std::string content = text(file);
    int64_t value = 0;
    std::from_chars(content.data(), content.data() + content.size(), value);
    return value;
  }

 private:
  ControlDirectory directory_;
};

std::vector<uint64_t> parse_words(std::string_view text) {
  std::vector<uint64_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    uint64_t value = 0;
    const auto parsed = std::from_chars(at, end, value);
    if (parsed.ec == std::errc()) numbers.push_back(value);
    at = parsed.ec == std::errc() ? parsed.ptr : at + 1;
  }
  return numbers;
}

/// cpuacct.usage_all: "cpu user system" and then three numbers a line.
void read_usage_all(std::string_view text, CpuStats& cpu) {
  const size_t header = text.find('\n');
  if (header == std::string_view::npos) return;
  const std::vector<uint64_t> words = parse_words(text.substr(header));
  for (size_t i = 0; i + 2 < words.size(); i += 3) {
    cpu.per_cpu_user.push_back(words[i + 1]);
    cpu.per_cpu_kernel.push_back(words[i + 2]);
  }
}

void read_cpu_usage(const Source& source, CpuStats& cpu) {
  if (source.v1()) {
    const uint64_t tick = 1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
    const std::string stat = source.text("cpuacct.stat");
    cpu.total = source.number("cpuacct.usage");
    cpu.user = flat_keyed(stat, "user", 0) * tick;
    cpu.kernel = flat_keyed(stat, "system", 0) * tick;
    cpu.per_cpu = parse_words(source.text("cpuacct.usage_percpu"));
    read_usage_all(source.text("cpuacct.usage_all"), cpu);
    return;
  }
  const std::string stat = source.text("cpu.stat");
  cpu.total = flat_keyed(stat, "usage_usec", 0) * kNanosPerMicro;
  cpu.user = flat_keyed(stat, "user_usec", 0) * kNanosPerMicro;
  cpu.kernel = flat_keyed(stat, "system_usec", 0) * kNanosPerMicro;
  cpu.pressure = parse_pressure(source.text("cpu.pressure"));
}

void read_cpu_throttling(const Source& source, CpuStats& cpu) {
  const std::string stat = source.text("cpu.stat");
  cpu.periods = flat_keyed(stat, "nr_periods", 0);
  cpu.throttled_periods = flat_keyed(stat, "nr_throttled", 0);
  cpu.throttled_time = source.v1() ? flat_keyed(stat, "throttled_time", 0)
                                   : flat_keyed(stat, "throttled_usec", 0) * kNanosPerMicro;
}

void read_cpuset(const Source& source, CpusetStats& cpuset) {
  cpuset.cpus = parse_number_list(source.text(source.v1() ? "cpuset.cpus" : "cpuset.cpus.effective"));
  cpuset.mems = parse_number_list(source.text(source.v1() ? "cpuset.mems" : "cpuset.mems.effective"));
  if (!source.v1()) return;
  cpuset.cpu_exclusive = source.number("cpuset.cpu_exclusive");
  cpuset.mem_hardwall = source.number("cpuset.mem_hardwall");
  cpuset.mem_exclusive = source.number("cpuset.mem_exclusive");
  cpuset.memory_migrate = source.number("cpuset.memory_migrate");
  cpuset.memory_spread_page = source.number("cpuset.memory_spread_page");
  cpuset.memory_spread_slab = source.number("cpuset.memory_spread_slab");
  cpuset.memory_pressure = source.number("cpuset.memory_pressure");
  cpuset.sched_load_balance = source.number("cpuset.sched_load_balance");
  cpuset.sched_relax_domain_level = source.signed_number("cpuset.sched_relax_domain_level");
}

std::vector<std::pair<std::string, uint64_t>> read_raw(std::string_view text) {
  std::vector<std::pair<std::string, uint64_t>> raw;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const size_t space = line.find(' ');
    uint64_t value = 0;
    if (space == std::string_view::npos) continue;
    const std::string_view number = line.substr(space + 1);
    if (std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc())
      raw.emplace_back(line.substr(0, space), value);
  }
  return raw;
}

MemoryCounter read_counter_v1(const Source& source, const std::string& stem) {
  MemoryCounter counter;
  counter.limit = source.number(stem + ".limit_in_bytes");
  counter.usage = source.number(stem + ".usage_in_bytes");
  counter.max = source.number(stem + ".max_usage_in_bytes");
  counter.failures = source.number(stem + ".failcnt");
  return counter;
}

void read_memory(const Source& source, MemoryStats& memory) {
  const std::string stat = source.text("memory.stat");
  memory.raw = read_raw(stat);
  if (source.v1()) {
    memory.cache = flat_keyed(stat, "cache", 0);
    memory.usage = read_counter_v1(source, "memory");
    memory.swap = read_counter_v1(source, "memory.memsw");
    memory.kernel = read_counter_v1(source, "memory.kmem");
    memory.kernel_tcp = read_counter_v1(source, "memory.kmem.tcp");
    return;
  }
  memory.cache = flat_keyed(stat, "file", 0);
  memory.usage.limit = source.number("memory.max");
  memory.usage.usage = source.number("memory.current");
  memory.usage.max = source.number("memory.peak");  // 5.19
  memory.usage.failures = flat_keyed(source.text("memory.events"), "max", 0);
  memory.swap.limit = source.number("memory.swap.max");
  memory.swap.usage = source.number("memory.swap.current") + memory.usage.usage;
  memory.swap.failures = flat_keyed(source.text("memory.swap.events"), "fail", 0);
  if (memory.swap.limit != UINT64_MAX)
    memory.swap.limit =
        memory.usage.limit == UINT64_MAX ? UINT64_MAX : memory.swap.limit + memory.usage.limit;
  memory.kernel.usage = flat_keyed(stat, "kernel", 0);
  memory.pressure = parse_pressure(source.text("memory.pressure"));
}

void read_block_io(const Source& source, BlockIoStats& io) {
  if (!source.v1()) {
    parse_io_stat(source.text("io.stat"), io);
    io.pressure = parse_pressure(source.text("io.pressure"));
    return;
  }
  // BFQ counts only what goes through it; the throttling layer counts everything.
  const auto read = [&](const char* file) { return parse_block_io_v1(source.text(file)); };
  io.service_bytes = read("blkio.throttle.io_service_bytes_recursive");
  io.serviced = read("blkio.throttle.io_serviced_recursive");
  if (io.service_bytes.empty()) io.service_bytes = read("blkio.bfq.io_service_bytes_recursive");
  if (io.serviced.empty()) io.serviced = read("blkio.bfq.io_serviced_recursive");
  io.queued = read("blkio.bfq.io_queued_recursive");
  io.service_time = read("blkio.bfq.io_service_time_recursive");
  io.wait_time = read("blkio.bfq.io_wait_time_recursive");
  io.merged = read("blkio.bfq.io_merged_recursive");
  io.time = read("blkio.bfq.time_recursive");
  io.sectors = read("blkio.bfq.sectors_recursive");
}

void read_pids(const Source& source, PidsStats& pids) {
  pids.current = source.number("pids.current");
  pids.limit = source.number("pids.max");
  if (pids.limit == UINT64_MAX) pids.limit = 0;
}

/// The page sizes are in the names of the files.
void read_hugepages(const Source& source, std::vector<HugepageStats>& hugepages) {
  constexpr std::string_view kStem = "hugetlb.";
  const std::string_view tail = source.v1() ? ".limit_in_bytes" : ".max";
  const Fd directory(openat(source.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return;
  sys::DirectoryReader reader(directory.get());
  while (const dirent64* entry = reader.next()) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(kStem) || !name.ends_with(tail)) continue;
    HugepageStats stats;
    stats.page_size = name.substr(kStem.size(), name.size() - kStem.size() - tail.size());
    if (!is_page_size(stats.page_size)) continue;
    const std::string stem(name.substr(0, name.size() - tail.size()));
    stats.usage = source.number(stem + (source.v1() ? ".usage_in_bytes" : ".current"));
    if (source.v1()) {
      stats.max = source.number(stem + ".max_usage_in_bytes");
      stats.failures = source.number(stem + ".failcnt");
    } else {
      stats.failures = flat_keyed(source.text(stem + ".events"), "max", 0);
    }
    hugepages.push_back(std::move(stats));
  }
}

/// Calls `read` with the controller's directory, v1 or else v2.
template <class Read>
Status with_controller(const std::vector<std::pair<std::string, std::string>>& directories,
                       std::string_view controller, Read read) {
  const std::string* where = nullptr;
  for (const auto& [name, directory] : directories) {
    if (name == controller) {
      where = &directory;
      break;
    }
    if (name.empty()) where = &directory;
  }
  if (!where) return {};
  read(Source(TRY(ControlDirectory::open(*where))));
  return {};
}

}  // namespace

Result<Stats> read_stats(const Cgroup& cgroup) {
  Stats stats;
  const auto directories = cgroup.directories();
  TRY(with_controller(directories, "cpuacct", [&](const Source& s) { read_cpu_usage(s, stats.cpu); }));
  TRY(with_controller(directories, "cpu", [&](const Source& s) { read_cpu_throttling(s, stats.cpu); }));
  TRY(with_controller(directories, "cpuset", [&](const Source& s) { read_cpuset(s, stats.cpuset); }));
  TRY(with_controller(directories, "memory", [&](const Source& s) { read_memory(s, stats.memory); }));
  TRY(with_controller(directories, "pids", [&](const Source& s) { read_pids(s, stats.pids); }));
  TRY(with_controller(directories, "blkio", [&](const Source& s) { read_block_io(s, stats.block_io); }));
  TRY(with_controller(directories, "hugetlb", [&](const Source& s) { read_hugepages(s, stats.hugepages); }));
  return stats;
}

}  // namespace slipway::runtime
