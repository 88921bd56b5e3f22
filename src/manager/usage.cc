#include "src/manager/usage.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "src/manager/engine.h"
#include "src/manager/observe.h"
#include "src/sys/cgroup.h"
#include "src/sys/file.h"

namespace slipway::manager {

namespace {

std::string read_text(const std::string& path) {
  auto text = sys::read_file_at(AT_FDCWD, path.c_str(), 1 << 20);
  return text.ok() ? std::move(text).value() : std::string();
}

uint64_t read_number(const std::string& path) {
  return strtoull(read_text(path).c_str(), nullptr, 10);
}

/// The number behind "key " at the beginning of a line.
uint64_t value_of(const std::string& text, const std::string& key) {
  size_t at = text.starts_with(key + " ") ? 0 : text.find("\n" + key + " ");
  if (at == std::string::npos) return 0;
  if (text[at] == '\n') ++at;
  return strtoull(text.c_str() + at + key.size() + 1, nullptr, 10);
}

/// The directory of the cgroup that has this controller (v1), or that is in the v2 tree ("").
std::string directory_of(const runtime::CgroupRecord& record, std::string_view controller) {
  for (const auto& [controllers, directory] : record.directories)
    if (controllers == controller || sys::list_has(controllers, controller)) return directory;
  return {};
}

void read_v1_block_io(const std::string& text, Usage& out) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const size_t read = line.find(" Read ");
    const size_t write = line.find(" Write ");
    if (read != std::string::npos) out.block_read += strtoull(line.c_str() + read + 6, nullptr, 10);
    if (write != std::string::npos) out.block_written += strtoull(line.c_str() + write + 7, nullptr, 10);
  }
}

void read_v2_block_io(const std::string& text, Usage& out) {
  for (size_t at = 0; (at = text.find("rbytes=", at)) != std::string::npos; ++at)
    out.block_read += strtoull(text.c_str() + at + 7, nullptr, 10);
  for (size_t at = 0; (at = text.find("wbytes=", at)) != std::string::npos; ++at)
    out.block_written += strtoull(text.c_str() + at + 7, nullptr, 10);
}

void read_cgroup(const runtime::CgroupRecord& record, Usage& out) {
  const std::string memory = directory_of(record, "memory");
  const std::string unified = directory_of(record, "");
  if (!memory.empty()) {
    out.cpu_ns = read_number(directory_of(record, "cpuacct") + "/cpuacct.usage");
    const std::string stat = read_text(memory + "/memory.stat");
    const uint64_t used = read_number(memory + "/memory.usage_in_bytes");
    out.memory = used - std::min(used, value_of(stat, "total_inactive_file"));
    out.memory_limit = read_number(memory + "/memory.limit_in_bytes");
    out.pids = read_number(directory_of(record, "pids") + "/pids.current");
    read_v1_block_io(read_text(directory_of(record, "blkio") + "/blkio.throttle.io_service_bytes"), out);
    return;
  }
  out.cpu_ns = value_of(read_text(unified + "/cpu.stat"), "usage_usec") * 1000;
  const uint64_t used = read_number(unified + "/memory.current");
  out.memory = used - std::min(used, value_of(read_text(unified + "/memory.stat"), "inactive_file"));
  out.memory_limit = read_number(unified + "/memory.max");
  out.pids = read_number(unified + "/pids.current");
  read_v2_block_io(read_text(unified + "/io.stat"), out);
}

void read_network(int pid, Usage& out) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/net/dev", pid);
  const std::string text = read_text(path);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const size_t colon = line.find(':');
    if (colon == std::string::npos || line.find(" lo:") != std::string::npos) continue;
    unsigned long long received = 0;
    unsigned long long sent = 0;
    if (sscanf(line.c_str() + colon + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu", &received, &sent) != 2)
      continue;
    out.received += received;
    out.sent += sent;
  }
}

}  // namespace

Result<Usage> container_usage(store::Store& store, std::string_view id) {
  Arena arena;
  const Observed observed = TRY(observe(store, id, arena));
  if (!observed.is_running()) return not_running(id);
  const runtime::CgroupRecord cgroup = TRY(engine_cgroup(store, id));
  Usage out;
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  out.taken_at = static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
  read_cgroup(cgroup, out);
  read_network(observed.state->pid, out);
  // No limit is the machine's memory.
  const auto machine =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (out.memory_limit == 0 || out.memory_limit > machine) out.memory_limit = machine;
  return out;
}

}  // namespace slipway::manager
