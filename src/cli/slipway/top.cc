// `top`: the processes of a container, as ps shows them.
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "src/cli/slipway/format.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/engine.h"
#include "src/manager/events.h"
#include "src/manager/observe.h"
#include "src/runtime/cgroup.h"
#include "src/store/containers.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

/// What the columns are made of, read from /proc without running a ps.
struct Process {
  pid_t pid = 0, ppid = 0;
  uid_t uid = 0;
  char state = '?';
  int tty = 0;
  long nice = 0;
  unsigned long long ticks = 0, start = 0;
  unsigned long virtual_kb = 0, resident_kb = 0;
  std::string name, command;
};

constexpr const char* kFull[] = {"uid", "pid", "ppid", "c", "stime", "tty", "time", "cmd"};
constexpr const char* kAux[] = {"user", "pid",  "%cpu",  "%mem", "vsz",    "rss",
                                "tty",  "stat", "start", "time", "command"};

std::string read_proc(pid_t pid, const char* name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  auto text = sys::read_file_at(AT_FDCWD, path, 1 << 20);
  return text.ok() ? std::move(text).value() : std::string();
}

bool read_process(pid_t pid, Process& out) {
  const std::string stat = read_proc(pid, "stat");
  const size_t open = stat.find('(');
  const size_t close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return false;
  out.pid = pid;
  out.name = stat.substr(open + 1, close - open - 1);
  unsigned long long user = 0;
  unsigned long long system = 0;
  long resident = 0;
  unsigned long size = 0;
  const int got =
      sscanf(stat.c_str() + close + 1,
             " %c %d %*d %*d %d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %ld %*d %*d %llu %lu %ld",
             &out.state, &out.ppid, &out.tty, &user, &system, &out.nice, &out.start, &size, &resident);
  if (got < 9) return false;
  out.ticks = user + system;
  out.virtual_kb = size / 1024;
  out.resident_kb =
      static_cast<unsigned long>(resident) * static_cast<unsigned long>(sysconf(_SC_PAGESIZE)) / 1024;
  out.command = read_proc(pid, "cmdline");
  for (char& c : out.command)
    if (c == 0) c = ' ';
  while (out.command.ends_with(' ')) out.command.pop_back();
  if (out.command.empty()) out.command = "[" + out.name + "]";
  char path[32];
  snprintf(path, sizeof path, "/proc/%d", pid);
  struct stat info = {};
  if (stat.empty() || ::stat(path, &info) < 0) return false;
  out.uid = info.st_uid;
  return true;
}

std::string user_name(uid_t uid) {
  const passwd* entry = getpwuid(uid);
  return entry ? entry->pw_name : std::to_string(uid);
}

time_t boot_time() {
  auto text = sys::read_file_at(AT_FDCWD, "/proc/stat", 1 << 20);
  const size_t at = text.ok() ? text->find("btime ") : std::string::npos;
  return at == std::string::npos ? 0 : atol(text->c_str() + at + 6);
}

std::string clock_of(unsigned long long seconds, bool hours) {
  char out[32];
  if (hours)
    snprintf(out, sizeof out, "%02llu:%02llu:%02llu", seconds / 3600, seconds / 60 % 60, seconds % 60);
  else
    snprintf(out, sizeof out, "%llu:%02llu", seconds / 60, seconds % 60);
  return out;
}

/// The header and the text of one column; an empty header says that there is none of this name.
struct Cell {
  std::string header, text;
};
Cell cell(std::string_view column, const Process& process, time_t boot) {
  const auto ticks = static_cast<unsigned long long>(sysconf(_SC_CLK_TCK));
  const time_t start = boot + static_cast<time_t>(process.start / ticks);
  const time_t age = std::max<time_t>(time(nullptr) - start, 1);
  const double cpu =
      100.0 * static_cast<double>(process.ticks) / static_cast<double>(ticks) / static_cast<double>(age);
  char number[32];
  if (column == "pid") return {"PID", std::to_string(process.pid)};
  if (column == "ppid") return {"PPID", std::to_string(process.ppid)};
  if (column == "uid") return {"UID", user_name(process.uid)};
  if (column == "user" || column == "euser") return {"USER", user_name(process.uid)};
  if (column == "c") return {"C", std::to_string(static_cast<int>(cpu))};
  if (column == "%cpu" || column == "pcpu") {
    snprintf(number, sizeof number, "%.1f", cpu);
    return {"%CPU", number};
  }
  if (column == "%mem" || column == "pmem") {
    const auto total =
        static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024;
    snprintf(number, sizeof number, "%.1f", 100.0 * static_cast<double>(process.resident_kb) / total);
    return {"%MEM", number};
  }
  if (column == "vsz") return {"VSZ", std::to_string(process.virtual_kb)};
  if (column == "rss") return {"RSS", std::to_string(process.resident_kb)};
  if (column == "ni" || column == "nice") return {"NI", std::to_string(process.nice)};
  if (column == "stat" || column == "state" || column == "s") return {"STAT", std::string(1, process.state)};
  if (column == "tty" || column == "tt")
    return {"TTY", process.tty ? "pts/" + std::to_string(process.tty & 0xff) : "?"};
  if (column == "time") return {"TIME", clock_of(process.ticks / ticks, true)};
  if (column == "comm" || column == "ucmd") return {"COMMAND", process.name};
  if (column == "cmd") return {"CMD", process.command};
  if (column == "args" || column == "command") return {"COMMAND", process.command};
  if (column == "stime" || column == "start") {
    tm parts = {};
    localtime_r(&start, &parts);
    strftime(number, sizeof number, age < 86400 ? "%H:%M" : "%b%d", &parts);
    return {column == "stime" ? "STIME" : "START", number};
  }
  return {};
}

/// The columns that ps options ask for: -ef, aux, -o a,b.
Result<std::vector<std::string>> columns_of(const Call& call) {
  std::vector<std::string> columns;
  const std::span<char* const> words = call.args.positionals().subspan(1);
  const auto take = [&](std::string_view list) {
    while (!list.empty()) {
      const size_t end = std::min(list.find_first_of(", "), list.size());
      const std::string_view name = list.substr(0, end);
      if (!name.empty()) columns.emplace_back(name.substr(0, name.find('=')));
      list.remove_prefix(std::min(end + 1, list.size()));
    }
  };
  for (size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    const size_t o = word.find('o');
    if (word.starts_with('-') && o != std::string_view::npos && o + 1 < word.size())
      take(word.substr(o + 1));
    else if ((word == "-o" || word == "-eo" || word == "o") && i + 1 < words.size())
      take(words[++i]);
    else if (word.find_first_not_of("-efFaAxulww") != std::string_view::npos)
      return Error::of(ErrorKind::unsupported, "ps option \"%s\" is not supported here (-ef, aux, -o LIST)",
                       words[i]);
    else if (word.find('u') != std::string_view::npos)
      columns.assign(std::begin(kAux), std::end(kAux));
  }
  if (columns.empty()) columns.assign(std::begin(kFull), std::end(kFull));
  return columns;
}

Result<int> run(const Call& call) {
  const std::vector<std::string> columns = TRY(columns_of(call));
  const auto store = TRY(open_store(call));
  store::Containers containers(*store);
  const std::string id = TRY(containers.find(call.args[0]));
  const manager::Observed observed = TRY(manager::observe(*store, id, call.arena));
  if (!observed.is_running()) return manager::not_running(id);
  const runtime::CgroupRecord where = TRY(manager::engine_cgroup(*store, id));
  const auto cgroup = TRY(runtime::open_cgroup(manager::runtime_context(*store), where));
  std::vector<pid_t> pids = TRY(cgroup->processes());
  std::sort(pids.begin(), pids.end());
  const time_t boot = boot_time();
  Table table;
  bool headed = false;
  for (const pid_t pid : pids) {
    Process process;
    if (!read_process(pid, process)) continue;  // it has just ended
    std::vector<std::string> headers;
    std::vector<std::string> row;
    for (const std::string& column : columns) {
      Cell one = cell(column, process, boot);
      if (one.header.empty())
        return Error::of(ErrorKind::invalid, "unknown ps column \"%s\"", column.c_str());
      headers.push_back(std::move(one.header));
      row.push_back(std::move(one.text));
    }
    if (!headed) table.row(std::move(headers));
    headed = true;
    table.row(std::move(row));
  }
  manager::container_event(*store, "top", *TRY(containers.load(id, call.arena)));
  TRY(print(table.text(20)));
  return 0;
}

constexpr Verb kVerb = {
    "top", "CONTAINER [PS OPTIONS]",  "Show the processes of a container", {}, 1, kNoLimit, true,
    run,   "top web -o pid,user,args"};

}  // namespace

const Verb kTop = kVerb;
const Verb kContainerTop = as("container top", kVerb);

}  // namespace slipway::cli
