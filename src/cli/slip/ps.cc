// slip ps: the processes of a container, as JSON or as ps(1) shows them.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <vector>

#include "src/base/json.h"
#include "src/cli/slip/globals.h"
#include "src/cli/slip/verbs.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr size_t kOutputLimit = 64 * 1024 * 1024;

constexpr auto kOptions = std::to_array<Option>({
    value("format", 'f', "FORMAT", "table or json (default: table)"),
});

/// The words of a line, which ps puts apart by spaces.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t begin = line.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const size_t end = line.find(' ');
    words.push_back(line.substr(0, end));
    line.remove_prefix(end == std::string_view::npos ? line.size() : end);
  }
  return words;
}

/// The header, and the lines whose column PID has one of the pids.
Result<std::string> filter(std::string_view text, const std::vector<pid_t>& pids) {
  std::string kept;
  size_t column = SIZE_MAX;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::vector<std::string_view> words = words_of(line);
    if (column == SIZE_MAX) {
      const auto found = std::find(words.begin(), words.end(), "PID");
      if (found == words.end()) return Error::of(ErrorKind::failed, "couldn't find PID field in ps output");
      column = static_cast<size_t>(found - words.begin());
    } else {
      pid_t pid = 0;
      if (column >= words.size()) continue;
      const std::string_view word = words[column];
      if (std::from_chars(word.data(), word.data() + word.size(), pid).ec != std::errc()) continue;
      if (!std::binary_search(pids.begin(), pids.end(), pid)) continue;
    }
    kept += line;
    kept += '\n';
  }
  return kept;
}

/// The output of `ps ARGS`. not_found: there is no ps.
Result<std::string> run_ps(const Call& call) {
  std::vector<char*> argv = {const_cast<char*>("ps")};
  for (size_t i = 1; i < call.args.size(); ++i) argv.push_back(const_cast<char*>(call.args[i]));
  if (argv.size() == 1) argv.push_back(const_cast<char*>("-ef"));
  argv.push_back(nullptr);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return Error::sys(errno, "pipe");
  const Fd output(ends[0]);
  Fd input(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.get(), STDOUT_FILENO);
  pid_t pid = 0;
  const int code = posix_spawnp(&pid, "ps", &actions, nullptr, argv.data(), call.envp);
  posix_spawn_file_actions_destroy(&actions);
  if (code) return Error::sys(code, "run ps");
  input.reset();
  Result<std::string> text = sys::read_all(output.get(), kOutputLimit);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (text.ok() && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
    return Error::of(ErrorKind::failed, "ps failed");
  return std::move(text).ctx("output of ps");
}

Result<int> run(const Call& call) {
  const std::string_view format = call.args.value("format", "table");
  if (format != "table" && format != "json")
    return Error::of(ErrorKind::usage, "invalid format option: \"%s\" (table or json)", format.data());
  const Globals globals = TRY(read_globals(call));
  const runtime::State state = TRY(runtime::load_state(globals.context, call.args[0]));
  const auto cgroup = TRY(runtime::open_cgroup(globals.context, state.cgroup));
  const std::vector<pid_t> pids = TRY(cgroup->processes());
  if (format == "json") {
    json::Writer json;
    json.begin_array();
    for (const pid_t pid : pids) json.integer(pid);
    json.end_array();
    TRY(print(std::string(json.text()) + "\n"));
    return 0;
  }
  const std::string all = TRY(run_ps(call));
  const std::string kept = TRY(filter(all, pids));
  TRY(print(kept));
  return 0;
}

}  // namespace

const Verb kPsVerb = {
    .name = "ps",
    .arguments = "ID [PS-OPTION...]",
    .summary = "Show the processes of a container",
    .options = kOptions,
    .min_args = 1,
    .max_args = kNoLimit,
    .in_order = true,
    .run = run,
};

}  // namespace slipway::cli
