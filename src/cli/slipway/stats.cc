// `stats`: what containers use, once or again and again.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "src/cli/slipway/format.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/observe.h"
#include "src/manager/usage.h"
#include "src/store/containers.h"
#include "src/store/id.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    flag("all", 'a', "show all containers (default: only running ones)"),
    flag("no-stream", 0, "one look, not a live table"),
    flag("no-trunc", 0, "do not shorten ids"),
    value("format", 0, "TEMPLATE", "table, json, or a Go template"),
});

constexpr Column kColumns[] = {{"Container", "CONTAINER"},
                               {"ID", "CONTAINER ID"},
                               {"Name", "NAME"},
                               {"CPUPerc", "CPU %"},
                               {"MemUsage", "MEM USAGE / LIMIT"},
                               {"MemPerc", "MEM %"},
                               {"NetIO", "NET I/O"},
                               {"BlockIO", "BLOCK I/O"},
                               {"PIDs", "PIDS"}};
constexpr char kTable[] =
    "table "
    "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";
constexpr timespec kFirstInterval = {0, 100'000'000};  // a share of CPU time needs two looks
constexpr timespec kInterval = {1, 0};

using Samples = std::map<std::string, manager::Usage>;

std::string percent(double value) {
  char text[32];
  snprintf(text, sizeof text, "%.2f%%", value);
  return text;
}

std::string both(uint64_t a, uint64_t b, std::string (*show)(double)) {
  return show(static_cast<double>(a)) + " / " + show(static_cast<double>(b));
}

Result<std::vector<std::string>> chosen(const Call& call, store::Store& store) {
  store::Containers containers(store);
  std::vector<std::string> ids;
  for (const std::string_view name : call.args.positionals()) ids.push_back(TRY(containers.find(name)));
  if (!ids.empty()) return ids;
  for (const std::string& id : TRY(containers.list())) {
    Arena arena;
    auto observed = manager::observe(store, id, arena);
    if (observed.ok() && (observed->is_running() || call.args.flag("all"))) ids.push_back(id);
  }
  return ids;
}

Samples look(store::Store& store, const std::vector<std::string>& ids) {
  Samples samples;
  for (const std::string& id : ids) {
    auto usage = manager::container_usage(store, id);
    samples[id] = usage.ok() ? *usage : manager::Usage();  // what does not run uses nothing
  }
  return samples;
}

/// `word` is what the user called it.
Value row(store::Store& store, const std::string& id, const char* word, const manager::Usage& before,
          const manager::Usage& now, bool truncate) {
  Arena arena;
  auto record = store::Containers(store).load(id, arena);
  const int64_t span = now.taken_at - before.taken_at;
  const double cpu = span > 0 && now.cpu_ns >= before.cpu_ns
                         ? 100.0 * static_cast<double>(now.cpu_ns - before.cpu_ns) / static_cast<double>(span)
                         : 0;
  const std::string shown(truncate ? store::short_id(id) : std::string_view(id));
  Value out = Value::object();
  out.set("Container", word ? std::string(word) : shown)
      .set("ID", shown)
      .set("Name", record.ok() ? (*record)->name : Str("--"));
  out.set("CPUPerc", percent(cpu));
  out.set("MemUsage", both(now.memory, now.memory_limit, binary_size));
  out.set("MemPerc", percent(now.memory_limit ? 100.0 * static_cast<double>(now.memory) /
                                                    static_cast<double>(now.memory_limit)
                                              : 0));
  out.set("NetIO", both(now.received, now.sent, human_size));
  out.set("BlockIO", both(now.block_read, now.block_written, human_size));
  out.set("PIDs", std::to_string(now.pids));
  return out;
}

Result<int> run(const Call& call) {
  const auto store = TRY(open_store(call));
  const bool once = call.args.flag("no-stream");
  const bool live = !once && isatty(STDOUT_FILENO);
  std::vector<std::string> ids = TRY(chosen(call, *store));
  Samples before = look(*store, ids);
  nanosleep(&kFirstInterval, nullptr);
  for (;;) {
    const Samples now = look(*store, ids);
    std::vector<Value> rows;
    for (size_t i = 0; i < ids.size(); ++i) {
      const std::string& id = ids[i];
      const char* word = call.args.size() ? call.args[i] : nullptr;
      const auto earlier = before.find(id);
      const auto current = now.find(id);
      rows.push_back(row(*store, id, word, earlier == before.end() ? current->second : earlier->second,
                         current->second, !call.args.flag("no-trunc")));
    }
    if (live) TRY(print("\033[2J\033[H"));
    TRY(print_rows(call.args.value("format", ""), kTable, kColumns, rows));
    if (once) return 0;
    nanosleep(&kInterval, nullptr);
    before = now;
    ids = TRY(chosen(call, *store));
  }
}

constexpr Verb kVerb = {"stats", "[CONTAINER...]",   "Show what containers use", kOptions, 0, kNoLimit, false,
                        run,     "stats --no-stream"};

}  // namespace

const Verb kStats = kVerb;
const Verb kContainerStats = as("container stats", kVerb);

}  // namespace slipway::cli
